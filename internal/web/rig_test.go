package web

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/collector"
	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// A rig is an exporter that is being served, as main wires it, and an HMP for it
// to ask.
type rig struct {
	t      *testing.T
	sim    *hmpsim.Server
	hmp    *hmpsim.Listening
	dir    string // of the configuration
	store  *config.Store
	client *http.Client
	url    string
}

// fleet is a configuration of three sessions on two targets. HMP stands for the
// URL of the rig's.
const fleet = `targets:
  - name: studio
    url: HMP
    sessions:
      - {name: playout, token: CANARY-playout}
      - {name: archive, token: CANARY-archive}
  - name: tower
    url: HMP
    sessions:
      - {name: relay, token: CANARY-relay}
`

// newRig starts an exporter with a configuration; with none if it is "".
func newRig(t *testing.T, configuration string, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), sim: hmpsim.New(), client: newClient(t)}
	r.sim.SetToken("CANARY-playout", valid())
	r.sim.SetToken("CANARY-archive", hmpsim.NoRoles())
	r.sim.SetToken("CANARY-relay", valid())
	r.hmp = simulate(t, r.sim, hmpsim.ListenConfig{})

	var logged bytes.Buffer
	logger := log.NewLogfmtLogger(log.NewSyncWriter(&logged))
	t.Cleanup(func() { canary.Check(t, "the log", logged.String()) })
	sessions := collector.New(collector.Options{MaxConcurrent: 100, TimeoutOffset: 500 * time.Millisecond, Logger: logger})
	t.Cleanup(sessions.Close)
	file := filepath.Join(r.dir, "hmp.yml")
	r.store = config.NewStore(func() (*config.Config, error) { return config.Load(file) }, sessions.Apply)
	if configuration != "" {
		r.configure(configuration)
		if err := r.store.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Collector: sessions, Store: r.store, Reload: r.store.Reload, Logger: logger, TelemetryPath: "/metrics", ProbeSessions: true, MaxRequests: permits}
	for _, c := range change {
		c(&o)
	}
	handler, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// simulate serves an HMP as long as the test lasts.
func simulate(t testing.TB, sim *hmpsim.Server, c hmpsim.ListenConfig) *hmpsim.Listening {
	t.Helper()
	listening, err := sim.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listening.Close)
	return listening
}

// valid answers with a session that has a canary wherever it tells a secret or who
// the user is.
func valid() hmpsim.Behaviour {
	s := hmpsim.ExampleSession()
	s.SessionID, s.Username, s.DisplayName = canary.Word+"-id", canary.Word+"-user", canary.Word+" the User"
	s.Groups = []string{canary.Word + "-group"}
	return hmpsim.Valid(s)
}

// file writes a file beside the configuration and returns its path.
func (r *rig) file(name, content string) string { return writeFile(r.t, r.dir, name, content) }

func writeFile(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// configure writes the configuration that the next reload loads.
func (r *rig) configure(configuration string) {
	r.t.Helper()
	r.file("hmp.yml", strings.ReplaceAll(configuration, "url: HMP", "url: "+r.hmp.URL))
}

// do makes a request, with header fields as pairs of a name and a value.
func (r *rig) do(method, path string, header ...string) reply {
	r.t.Helper()
	return do(r.t, r.client, method, r.url+path, header...)
}

func (r *rig) get(path string, header ...string) reply {
	r.t.Helper()
	return r.do(http.MethodGet, path, header...)
}

// probed is how many requests the HMP has had.
func (r *rig) probed() int {
	stats := r.sim.Stats()
	return stats.GETs + stats.POSTs + stats.Others
}
