package session

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

const (
	key       = canary.Word + "-key"
	apiSecret = canary.Word + "-secret"
	patience  = 10 * time.Second // of a probe
	interval  = 15 * time.Second // of scrapes
)

// A rig is a keyring, a fake HMP that knows one key, and a clock that is fake too.
type rig struct {
	*fake
	keyring Keyring
	t       *testing.T
	dir     string
	all     []call // that were sent, for what holds in the end
}

func inBubble(t *testing.T, test func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{fake: newFake(), t: t, dir: t.TempDir()}
		r.accept(key, apiSecret)
		t.Cleanup(r.check)
		test(t, r)
	})
}

// sent is that of the fake, and remembers.
func (r *rig) sent() []call {
	calls := r.fake.sent()
	r.all = append(r.all, calls...)
	return calls
}

func (r *rig) logins() []call { return filter(r.sent(), call.login) }

// check checks what must hold in every test.
func (r *rig) check() {
	r.sent()
	if r.mostAtOnce > 1 {
		r.t.Errorf("%d logins with one key at once", r.mostAtOnce)
	}
	canary.CheckValue(r.t, "the keyring", &r.keyring)
	slices.SortFunc(r.all, func(a, b call) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	rejections := make(map[string][]time.Time)
	for _, c := range r.all {
		if c.outcome != hmp.LoginRejected {
			continue
		}
		rejections[c.key] = append(rejections[c.key], c.at)
		times := rejections[c.key]
		if n := len(times); n > 5 && c.at.Sub(times[n-6]) < time.Hour {
			r.t.Errorf("six rejected logins with %s within %v", c.key, c.at.Sub(times[n-6]))
		}
	}
}

// load returns what a configuration file says of a session.
func (r *rig) load(settings string) *config.Session {
	r.t.Helper()
	text := "targets:\n- name: studio\n  url: http://hmp.example\n  sessions:\n  - {name: playout, " + settings + "}\n"
	cfg, err := config.Load(r.file("hmp.yml", text))
	if err != nil {
		r.t.Fatal(err)
	}
	return cfg.Targets[0].Sessions[0]
}

// file writes a file and returns its path.
func (r *rig) file(name, content string) string {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// options are those of a session with a key and a secret.
func (r *rig) options(key, apiSecret string) LoginOptions {
	r.t.Helper()
	return r.optionsOf(fmt.Sprintf("api_key: %s, api_secret: %s", key, apiSecret))
}

func (r *rig) optionsOf(settings string) LoginOptions {
	r.t.Helper()
	s := r.load(settings)
	return LoginOptions{HMP: "http://hmp.example:80", Key: s.APIKey, Secret: s.APISecret, Lifetime: 30 * time.Minute}
}

// login returns a session with a key and a secret.
func (r *rig) login(key, apiSecret string) *Login {
	r.t.Helper()
	return r.keyring.Login(r.options(key, apiSecret), nil)
}

// probe probes a session, with as much time as scrapes have by default.
func (r *rig) probe(s Source) Report {
	r.t.Helper()
	return r.probeFor(s, patience)
}

func (r *rig) probeFor(s Source, d time.Duration) Report {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), d)
	defer cancel()
	far := &counter{HMP: r.fake}
	report := s.Probe(ctx, far)
	canary.CheckValue(r.t, "the report", report)
	logins, gets := far.logins.Load(), far.gets.Load()
	if logins > 1 || gets > 2 {
		r.t.Errorf("a probe with %d logins and %d GETs", logins, gets)
	}
	if (logins == 1) != (report.Login != "") {
		r.t.Errorf("%d logins, reported as %q", logins, report.Login)
	}
	if report.Held && (logins+gets > 0 || report.StatusCode != 0 || report.Responded || report.Phases != hmp.Phases{}) {
		r.t.Errorf("held after %d logins and %d GETs: %+v", logins, gets, report)
	}
	return report
}

// scrape probes a session every 15 seconds for a while, and leaves it there.
func (r *rig) scrape(s Source, d time.Duration) []Report { return r.scrapeEvery(s, interval, d) }

func (r *rig) scrapeEvery(s Source, interval, d time.Duration) (reports []Report) {
	r.t.Helper()
	for next, end := time.Now(), time.Now().Add(d); next.Before(end); {
		reports = append(reports, r.probe(s))
		next = next.Add(interval)
		advance(time.Until(next))
	}
	return reports
}

// suspended tells what the status of a session says.
func suspended(l *Login) bool {
	s, _ := l.Status()
	return s.Suspended
}

// A counter counts the calls of one probe.
type counter struct {
	HMP
	logins, gets atomic.Int64
}

func (c *counter) Session(ctx context.Context, token secret.Value) (hmp.Answer, secret.Value) {
	c.gets.Add(1)
	return c.HMP.Session(ctx, token)
}

func (c *counter) Login(ctx context.Context, key, apiSecret secret.Value) (hmp.Answer, secret.Value) {
	c.logins.Add(1)
	return c.HMP.Login(ctx, key, apiSecret)
}
