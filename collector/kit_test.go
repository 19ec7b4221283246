package collector

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// golden compares a text with that of testdata, or writes it with -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// offset is the one that the program has by default.
const offset = 500 * time.Millisecond

// A rig is a collector with a configuration, a log, and HMPs on a network that is
// in memory, so that it works in a synctest bubble.
type rig struct {
	*Collector
	t    testing.TB
	dir  string // of the configuration
	log  *canary.Log
	hmps map[string]*hmpsim.PipeListener // by host and port
}

func newRig(t testing.TB, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), log: canary.NewLog(t), hmps: make(map[string]*hmpsim.PipeListener)}
	o := Options{MaxConcurrent: 100, TimeoutOffset: offset, UserAgent: "hmp_exporter/test", Logger: log.NewLogfmtLogger(r.log)}
	for _, c := range change {
		c(&o)
	}
	r.Collector = New(o)
	r.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		hmp, ok := r.hmps[address]
		if !ok {
			return nil, fmt.Errorf("no HMP at %s", address)
		}
		return hmp.DialContext(ctx, network, address)
	}
	t.Cleanup(func() {
		r.Close()
		for _, g := range r.Summaries() {
			h, err := r.History(g.Target, g.Session)
			canary.Check(t, "a history", fmt.Sprintf("%+v %v", h, err))
		}
	})
	return r
}

// maxConcurrent is a change of a rig's options.
func maxConcurrent(n int) func(*Options) { return func(o *Options) { o.MaxConcurrent = n } }

// sessions are those of one HMP by name, and what it answers to each.
type sessions map[string]hmpsim.Behaviour

// many returns so many sessions, all of which answer alike, and their names.
func many(n int, b hmpsim.Behaviour) (s sessions, names []string) {
	s = make(sessions)
	for i := range n {
		name := "s" + strconv.Itoa(i)
		s[name], names = b, append(names, name)
	}
	return s, names
}

// tokenOf is the token of the session of a name.
func tokenOf(session string) string { return canary.Word + "-" + session }

// simulate returns an HMP that answers at http://<host>.
func (r *rig) simulate(host string, s sessions) *hmpsim.Server {
	r.t.Helper()
	sim := newSim(s)
	r.listen(host+":80", sim, nil)
	return sim
}

func newSim(s sessions) *hmpsim.Server {
	sim := hmpsim.New()
	for name, behaviour := range s {
		sim.SetToken(tokenOf(name), behaviour)
	}
	return sim
}

func (r *rig) listen(address string, sim *hmpsim.Server, change func(*hmpsim.ListenConfig)) {
	r.t.Helper()
	pipe := hmpsim.ListenPipe()
	c := hmpsim.ListenConfig{Listener: pipe}
	if change != nil {
		change(&c)
	}
	listening, err := sim.Start(c)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(listening.Close)
	r.hmps[address] = pipe
}

// file writes a file beside the configuration.
func (r *rig) file(name, content string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// load loads a configuration of targets, each as [targetNamed] writes it.
func (r *rig) load(targets ...string) *config.Config {
	r.t.Helper()
	r.file("hmp.yml", "targets:\n"+strings.Join(targets, ""))
	cfg, err := (&config.Source{File: filepath.Join(r.dir, "hmp.yml")}).Load()
	if err != nil {
		r.t.Fatal(err)
	}
	return cfg
}

// targetNamed writes a target that is reached at http://<name>, with sessions whose
// tokens are those of [tokenOf].
func targetNamed(name string, sessions ...string) string {
	return targetWith(name, "url: http://"+name, sessions...)
}

// targetWith writes a target with a setting for each line of settings.
func targetWith(name, settings string, sessions ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - name: %s\n    %s\n    sessions:\n", name, strings.ReplaceAll(settings, "\n", "\n    "))
	for _, s := range sessions {
		fmt.Fprintf(&b, "      - {name: %s, token: %s}\n", s, tokenOf(s))
	}
	return b.String()
}

func (r *rig) probe(q Request) []Result {
	r.t.Helper()
	results, err := r.Probe(q)
	if err != nil {
		r.t.Errorf("Probe: %v", err)
	}
	some := results[:min(len(results), 10)] // a search takes time
	canary.Check(r.t, "the results", fmt.Sprintf("%+v", some))
	canary.Check(r.t, "the metrics", exposition(r.t, Families(some)))
	return results
}

// resultNames returns the names of some results.
func resultNames(results []Result) []hmp.Result {
	var words []hmp.Result
	for _, r := range results {
		words = append(words, r.Result)
	}
	return words
}

// lookalike is the example session with a canary wherever it tells a secret or
// who the user is.
func lookalike() hmpsim.Session {
	s := hmpsim.ExampleSession()
	s.SessionID, s.Username, s.DisplayName = canary.Word+"-id", canary.Word+"-user", canary.Word+" the User"
	s.Groups = []string{canary.Word + "-group"}
	s.ServiceMessages = slices.Clone(s.ServiceMessages)
	return s
}

// valid answers with a session.
func valid() hmpsim.Behaviour { return hmpsim.Valid(lookalike()) }

// advance lets the clock of a bubble go on.
func advance(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // nobody waits for this clock
}

// keyOf and secretOf are what the session of a name logs in with.
func keyOf(session string) string    { return canary.Word + "-key-" + session }
func secretOf(session string) string { return canary.Word + "-secret-" + session }

// addKeys lets sessions log in at an HMP.
func addKeys(sim *hmpsim.Server, s sessions) {
	for name, behaviour := range s {
		sim.AddKey(keyOf(name), secretOf(name), behaviour)
	}
}

// keyTarget writes the target studio with sessions that log in.
func keyTarget(sessions ...string) string {
	return keyTargetWith("studio", "url: http://studio", sessions...)
}

// keyTargetWith is [keyTarget] with a setting for each line of settings.
func keyTargetWith(name, settings string, sessions ...string) string {
	var b strings.Builder
	b.WriteString(targetWith(name, settings))
	for _, s := range sessions {
		fmt.Fprintf(&b, "      - {name: %s, api_key: %s, api_secret: %s}\n", s, keyOf(s), secretOf(s))
	}
	return b.String()
}

// interval is that of the scrapes in tests that last for hours.
const interval = 15 * time.Second

// scrapes makes scrapes of one session for a time, and hands each result on.
func (r *rig) scrapes(lasting time.Duration, each func(Result)) {
	r.t.Helper()
	for end := time.Now().Add(lasting); time.Now().Before(end); advance(interval) {
		each(r.probe(Request{ScrapeTimeout: "10"})[0])
	}
}

// always fails the test unless every result has a name.
func always(t *testing.T, want hmp.Result) func(Result) {
	begin := time.Now()
	return func(r Result) {
		t.Helper()
		if r.Result != want {
			t.Errorf("after %v: %s (%s), want %s", time.Since(begin), r.Result, r.Reason, want)
		}
	}
}

// logins is what the metrics say of the logins of one session.
type logins struct {
	Counts    string // the counts above 0, such as "success 2, timeout 1"
	Suspended string
	Expiry    string
}

func loginsOf(t *testing.T, f []*dto.MetricFamily) logins {
	t.Helper()
	var counts []string
	for _, family := range f {
		if family.GetName() != SessionLogins {
			continue
		}
		for _, m := range family.Metric {
			if n := m.GetCounter().GetValue(); n != 0 {
				counts = append(counts, fmt.Sprintf("%s %g", labelOf(m, "result"), n))
			}
		}
	}
	return logins{strings.Join(counts, ", "), valueOf(t, f, SessionLoginSuspended), valueOf(t, f, SessionTokenExpiry)}
}

// verdict is what the metrics say of one probe.
type verdict struct {
	Result string // of the state set, the one that is 1
	Up     string
	Valid  string
	Status string
	Code   string // as Result
	GETs   int    // that the HMP has seen
}

func (r *rig) verdict(q Request, sim *hmpsim.Server) (verdict, Result) {
	r.t.Helper()
	results := r.probe(q)
	if len(results) != 1 {
		r.t.Fatalf("got %d results", len(results))
	}
	f := Families(results)
	return verdict{
		Result: ones(r.t, f, SessionProbeResult, "result"),
		Up:     valueOf(r.t, f, Up),
		Valid:  valueOf(r.t, f, SessionValid),
		Status: valueOf(r.t, f, SessionHTTPStatus),
		Code:   ones(r.t, f, SessionError, "code"),
		GETs:   sim.Stats().GETs,
	}, results[0]
}

// certificate makes one, and writes that of its authority to ca.pem.
func (r *rig) certificate(o hmpsim.CertificateOptions) tls.Certificate {
	r.t.Helper()
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		r.t.Fatal(err)
	}
	certificate, err := authority.Certificate(o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.file("ca.pem", string(authority.PEM()))
	return certificate
}

// warnings are those of the log.
func (r *rig) warnings() (lines []string) {
	for line := range strings.Lines(r.log.String()) {
		if strings.HasPrefix(line, "level=warn") {
			lines = append(lines, line)
		}
	}
	return lines
}

// countResults counts results by their name.
func countResults(results []Result) map[hmp.Result]int {
	counts := make(map[hmp.Result]int)
	for _, o := range resultNames(results) {
		counts[o]++
	}
	return counts
}

// exposition is the text of families.
func exposition(t testing.TB, families []*dto.MetricFamily) string {
	t.Helper()
	var b bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatalf("failed to encode %s: %v", f.GetName(), err)
		}
	}
	return b.String()
}

// absent is what [valueOf] returns where there is no sample.
const absent = "absent"

// valueOf returns the value of the one sample of a metric.
func valueOf(t testing.TB, families []*dto.MetricFamily, name string) string {
	t.Helper()
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name })
	if i < 0 {
		return absent
	}
	if n := len(families[i].Metric); n != 1 {
		t.Fatalf("%s has %d samples, want one", name, n)
	}
	m := families[i].Metric[0]
	return strconv.FormatFloat(m.GetGauge().GetValue()+m.GetCounter().GetValue(), 'g', -1, 64)
}

// ones returns the values that a label has in those samples of a metric that are
// 1. All others have to be 0.
func ones(t testing.TB, families []*dto.MetricFamily, name, label string) string {
	t.Helper()
	var values []string
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.Metric {
			switch m.GetGauge().GetValue() {
			case 0:
			case 1:
				values = append(values, labelOf(m, label))
			default:
				t.Errorf("a sample of the state set is neither 0 nor 1: %v", m)
			}
		}
	}
	return strings.Join(values, ",")
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.Label {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

func (r *rig) history(name string) History {
	r.t.Helper()
	h, err := r.History("studio", name)
	if err != nil {
		r.t.Fatal(err)
	}
	return h
}

// rotating answers every GET with another authToken, and lets the old one live.
var rotating = hmpsim.Config{Rotation: &hmpsim.Rotation{KeepOld: true}}
