package collector

import (
	"context"
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

	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

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
	cfg, err := config.Load(filepath.Join(r.dir, "hmp.yml"))
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
	canary.Check(r.t, "the results", fmt.Sprintf("%+v", results))
	canary.Check(r.t, "the metrics", exposition(r.t, Families(results)))
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
