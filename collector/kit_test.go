package collector

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"go.uber.org/goleak"

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	// offset is the default of --timeout-offset.
	offset = 500 * time.Millisecond
	// interval is the time between scrapes in tests that last for minutes or hours.
	interval = 15 * time.Second
)

// A rig is a collector with a configuration, a log, and simulated HMPs. Its network is in
// memory, so it works in a synctest bubble.
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
		for _, s := range r.Summaries() {
			h, err := r.History(s.Target, s.Session)
			canary.Check(t, "a history", fmt.Sprintf("%+v %v", h, err))
		}
	})
	return r
}

// inBubble runs a test with a rig in a synctest bubble.
func inBubble(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newRig(t)) })
}

// runInBubble is [inBubble] in a subtest.
func runInBubble(t *testing.T, name string, test func(t *testing.T, r *rig)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { inBubble(t, test) })
}

// maxConcurrent changes the options of a rig.
func maxConcurrent(n int) func(*Options) { return func(o *Options) { o.MaxConcurrent = n } }

// sessions are the names of an HMP's sessions with its answers.
type sessions map[string]hmpsim.Behaviour

// many returns n sessions with one answer, and their names.
func many(n int, b hmpsim.Behaviour) (s sessions, names []string) {
	s = make(sessions)
	for i := range n {
		name := "s" + strconv.Itoa(i)
		s[name], names = b, append(names, name)
	}
	return s, names
}

// The token, the API key and the secret of the session with a name.
func tokenOf(session string) string  { return canary.Word + "-" + session }
func keyOf(session string) string    { return canary.Word + "-key-" + session }
func secretOf(session string) string { return canary.Word + "-secret-" + session }

// simulate starts an HMP at http://<host>.
func (r *rig) simulate(host string, s sessions) *hmpsim.Server {
	r.t.Helper()
	sim, pipe := newSim(s), hmpsim.ListenPipe()
	listening, err := sim.Start(hmpsim.ListenConfig{Listener: pipe})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(listening.Close)
	r.hmps[host+":80"] = pipe
	return sim
}

// studio starts an HMP and configures it as the target studio. Its sessions have tokens.
func (r *rig) studio(s sessions) *hmpsim.Server {
	r.t.Helper()
	sim := r.simulate("studio", s)
	r.Apply(r.load(targetNamed("studio", slices.Sorted(maps.Keys(s))...)))
	return sim
}

// studioWithKeys is studio for sessions with API keys.
func (r *rig) studioWithKeys(s sessions) *hmpsim.Server {
	r.t.Helper()
	sim := r.simulate("studio", nil)
	addKeys(sim, s)
	r.Apply(r.load(keyTarget(slices.Sorted(maps.Keys(s))...)))
	return sim
}

func newSim(s sessions) *hmpsim.Server {
	sim := hmpsim.New()
	for name, behaviour := range s {
		sim.SetToken(tokenOf(name), behaviour)
	}
	return sim
}

// addKeys adds sessions with an API key to an HMP.
func addKeys(sim *hmpsim.Server, s sessions) {
	for name, behaviour := range s {
		sim.AddKey(keyOf(name), secretOf(name), behaviour)
	}
}

// file writes a file beside the configuration.
func (r *rig) file(name, content string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// load loads a configuration of targets, see [targetNamed].
func (r *rig) load(targets ...string) *config.Config {
	r.t.Helper()
	r.file("hmp.yml", "targets:\n"+strings.Join(targets, ""))
	cfg, err := (&config.Source{File: filepath.Join(r.dir, "hmp.yml")}).Load()
	if err != nil {
		r.t.Fatal(err)
	}
	return cfg
}

// targetNamed returns the YAML of a target at http://<name>, whose sessions have tokens.
func targetNamed(name string, sessions ...string) string {
	return targetWith(name, "url: http://"+name, sessions...)
}

// targetWith returns the YAML of a target with settings, one on each line.
func targetWith(name, settings string, sessions ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - name: %s\n    %s\n    sessions:\n", name, strings.ReplaceAll(settings, "\n", "\n    "))
	for _, s := range sessions {
		fmt.Fprintf(&b, "      - {name: %s, token: %s}\n", s, tokenOf(s))
	}
	return b.String()
}

// keyTarget returns the YAML of the target studio, whose sessions have API keys.
func keyTarget(sessions ...string) string {
	return keyTargetWith("studio", "url: http://studio", sessions...)
}

// keyTargetWith is [targetWith] for sessions with API keys.
func keyTargetWith(name, settings string, sessions ...string) string {
	text := targetWith(name, settings)
	for _, s := range sessions {
		text += keySession(s, s)
	}
	return text
}

// keySession returns the YAML of a session with the API key of a session.
func keySession(name, session string) string {
	return fmt.Sprintf("      - {name: %s, api_key: %s, api_secret: %s}\n", name, keyOf(session), secretOf(session))
}

// rotating is an HMP that answers every GET with a new token. The old one stays valid.
var rotating = hmpsim.Config{Rotation: &hmpsim.Rotation{KeepOld: true}}

// secretive is the example session with a canary in all secrets and personal data.
func secretive() hmpsim.Session {
	s := hmpsim.ExampleSession()
	s.SessionID, s.Username, s.DisplayName = canary.Word+"-id", canary.Word+"-user", canary.Word+" the User"
	s.Groups = []string{canary.Word + "-group"}
	return s
}

// valid answers with a session.
func valid() hmpsim.Behaviour { return hmpsim.Valid(secretive()) }

// advance advances the clock of a synctest bubble.
func advance(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // nobody waits for this clock
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

// scrapes scrapes one session for some time and calls each with the results.
func (r *rig) scrapes(lasting time.Duration, each func(Result)) {
	r.t.Helper()
	for end := time.Now().Add(lasting); time.Now().Before(end); advance(interval) {
		each(r.probe(Request{ScrapeTimeout: "10"})[0])
	}
}

// always returns a function that checks the name of a result.
func always(t *testing.T, want hmp.Result) func(Result) {
	begin := time.Now()
	return func(r Result) {
		t.Helper()
		if r.Result != want {
			t.Errorf("after %v: %s (%s), want %s", time.Since(begin), r.Result, r.Reason, want)
		}
	}
}

func resultNames(results []Result) (names []hmp.Result) {
	for _, r := range results {
		names = append(names, r.Result)
	}
	return names
}

func countResults(results []Result) map[hmp.Result]int {
	counts := make(map[hmp.Result]int)
	for _, name := range resultNames(results) {
		counts[name]++
	}
	return counts
}

// history returns the history of a session of the target studio.
func (r *rig) history(session string) History {
	r.t.Helper()
	h, err := r.History("studio", session)
	if err != nil {
		r.t.Fatal(err)
	}
	return h
}

// warnings returns the warnings in the log.
func (r *rig) warnings() (lines []string) {
	for line := range strings.Lines(r.log.String()) {
		if strings.HasPrefix(line, "level=warn") {
			lines = append(lines, line)
		}
	}
	return lines
}

// certificate makes a certificate, and writes the one of its authority to ca.pem.
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
