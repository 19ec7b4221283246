package token

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	key       = canary.Word + "-key"
	apiSecret = canary.Word + "-secret"
	wrong     = canary.Word + "-wrong"
	interval  = 15 * time.Second // of scrapes
)

// with returns a credential.
func with(key, apiSecret string) Credential {
	return Credential{HMP: "http://hmp.example:80", Key: secret.New(key), Secret: secret.New(apiSecret)}
}

// A rig is a manager, a fake HMP that knows one key, and a clock that is fake too.
type rig struct {
	*fake
	manager Manager
	t       *testing.T
	request Request       // without the credential
	time    time.Duration // of a probe
	extra   int           // refused logins beyond the budget
	all     []call        // that were sent, for what holds in the end
	seen    sync.Map      // reports that were searched for secrets
}

func inBubble(t *testing.T, test func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{fake: newFake(), t: t, request: Request{Lifetime: 30 * time.Minute, MayLogin: true}, time: 10 * time.Second}
		r.accept(key, apiSecret)
		t.Cleanup(r.check)
		test(t, r)
	})
}

// advance lets time go by in a bubble.
func advance(d time.Duration) {
	time.Sleep(d) // the fake clock
}

// sent returns the calls that were answered since it was last called.
func (r *rig) sent() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.all, r.calls = append(r.all, calls...), nil
	return calls
}

func (r *rig) logins() []call {
	return slices.DeleteFunc(r.sent(), func(c call) bool { return !c.login() })
}

// check checks what must hold in every test.
func (r *rig) check() {
	r.sent()
	if r.mostAtOnce > 1 {
		r.t.Errorf("%d logins with one key at once", r.mostAtOnce)
	}
	canary.CheckValue(r.t, "the manager", &r.manager)
	refused := make(map[string][]time.Time)
	for _, c := range r.all {
		if c.result != hmp.LoginRejected {
			continue
		}
		refused[c.key] = append(refused[c.key], c.at)
		times := refused[c.key]
		if n := len(times); n > 5+r.extra && c.at.Sub(times[n-6-r.extra]) < time.Hour {
			r.t.Errorf("%d refused logins within %v", 6+r.extra, c.at.Sub(times[n-6-r.extra]))
		}
	}
}

// probe probes with a credential, and checks what must hold for every probe.
func (r *rig) probe(c Credential) Report { return r.probeFor(c, r.time) }

func (r *rig) probeFor(c Credential, d time.Duration) Report {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), d)
	defer cancel()
	request := r.request
	request.Credential = c
	report := r.manager.Probe(ctx, request, r.fake)
	if _, seen := r.seen.LoadOrStore(brief(report)+report.Reason, true); !seen {
		canary.CheckValue(r.t, "the report", report)
	}
	logins, gets := 0, 0
	for _, x := range report.Exchanges {
		if x.Method == "POST" {
			logins++
		} else {
			gets++
		}
	}
	if logins > 1 || gets > 2 || (logins == 1) != (report.Login != "") {
		r.t.Errorf("a probe with %d logins, reported as %q, and %d GETs", logins, report.Login, gets)
	}
	if report.Skipped != (logins+gets == 0) || report.Skipped && (report.StatusCode != 0 || report.Responded || report.Phases != hmp.Phases{}) {
		r.t.Errorf("held is %v after %d logins and %d GETs: %+v", report.Skipped, logins, gets, report)
	}
	return report
}

// scrape probes every 15 seconds for a while.
func (r *rig) scrape(c Credential, d time.Duration) []Report { return r.scrapeEvery(c, interval, d) }

func (r *rig) scrapeEvery(c Credential, interval, d time.Duration) (reports []Report) {
	r.t.Helper()
	for next, end := time.Now(), time.Now().Add(d); next.Before(end); {
		reports = append(reports, r.probe(c))
		next = next.Add(interval)
		advance(time.Until(next))
	}
	return reports
}

// valid scrapes for a time in which every probe has to be valid.
func (r *rig) valid(c Credential, d time.Duration) {
	r.t.Helper()
	for i, report := range r.scrape(c, d) {
		if report.Result != hmp.Valid {
			r.t.Fatalf("probe %d ended in %s: %s", i, brief(report), report.Reason)
		}
	}
}

// begin probes in the background, and returns once all is under way. What it
// returns waits for the report.
func (r *rig) begin(c Credential, d time.Duration) (report func() Report) {
	reports := make(chan Report, 1)
	go func() { reports <- r.probeFor(c, d) }()
	synctest.Wait()
	return func() Report { return <-reports }
}

// slowly makes the next GET take longer, and decides it right away.
func (r *rig) slowly(d time.Duration, c Credential) (report func() Report) {
	set := func(d time.Duration) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.getTime = d
	}
	set(d)
	defer set(0)
	return r.begin(c, r.time)
}

// retry asks for a login at once.
func (r *rig) retry(c Credential, want error) {
	r.t.Helper()
	if err := r.manager.RetryLogin(c); !errors.Is(err, want) {
		r.t.Errorf("RetryLogin: %v, want %v", err, want)
	}
}

func (r *rig) suspended(c Credential) bool { return r.status(c).Suspended }

func (r *rig) status(c Credential) Status { return r.manager.Status(c, r.request.Lifetime) }

// brief writes a report in a few words: the result, and how it came to that.
func brief(r Report) string {
	w := string(r.Result)
	if r.Login != "" {
		w += " login"
	}
	if r.Skipped {
		w += " held"
	}
	return w
}

// briefs writes reports, and runs of the same as one with their number.
func briefs(reports []Report) (all []string) {
	for i := 0; i < len(reports); {
		n := 1
		for i+n < len(reports) && brief(reports[i+n]) == brief(reports[i]) {
			n++
		}
		w := brief(reports[i])
		if n > 1 {
			w = fmt.Sprintf("%s ×%d", w, n)
		}
		all = append(all, w)
		i += n
	}
	return all
}

// path writes calls in a few words: POST or GET, and what it came to.
func path(calls []call) string {
	var all []string
	for _, c := range calls {
		method := "GET "
		if c.login() {
			method = "POST "
		}
		all = append(all, method+string(c.result))
	}
	return strings.Join(all, ", ")
}

// checkPauses checks how long logins were held back, where there was a probe every
// second. A tenth more is allowed, and nothing less.
func checkPauses(t *testing.T, calls []call, pauses ...time.Duration) {
	t.Helper()
	if len(calls) <= len(pauses) {
		t.Fatalf("%d logins, want more than %d", len(calls), len(pauses))
	}
	for i, pause := range pauses {
		if got := calls[i+1].at.Sub(calls[i].at); got < pause || got >= pause+pause/10+2*time.Second {
			t.Errorf("pause %d is %v, want %v and up to a tenth more", i+1, got, pause)
		}
	}
}

func check[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var clockTime = regexp.MustCompile(`at (\d\d:\d\d:\d\d UTC)`)

// promised returns how long from now the next login comes, by the first time in a reason.
func promised(t *testing.T, reason string) time.Duration {
	t.Helper()
	found := clockTime.FindStringSubmatch(reason)
	if found == nil {
		t.Fatalf("the reason does not say when the next login comes: %q", reason)
	}
	now := time.Now().UTC()
	at, err := time.Parse(time.DateOnly+" 15:04:05 MST", now.Format(time.DateOnly)+" "+found[1])
	if err != nil {
		t.Fatal(err)
	}
	return (at.Sub(now) + 24*time.Hour) % (24 * time.Hour) // the next day, if the time has passed
}
