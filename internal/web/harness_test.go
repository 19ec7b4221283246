package web

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"go.uber.org/goleak"

	"hmp_exporter/collector"
	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// threeSessions is a configuration of three sessions on two targets. HMP stands for the URL of
// the simulated HMP.
const threeSessions = `targets:
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

const (
	playout     = `hmp_session_valid{session="playout",target="studio"} 1`
	playoutPage = "/session?target=studio&session=playout"
)

// newHandler returns a handler with a logger that checks for secrets and a configuration of
// three sessions.
func newHandler(t testing.TB, c Collector, change ...func(*Options)) http.Handler {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hmp.yml")
	exportertest.WriteFile(t, file, strings.ReplaceAll(threeSessions, "url: HMP", "url: http://hmp.example"))
	store := config.NewStore((&config.Source{File: file}).Load, func(*config.Config) {})
	if err := store.Reload(); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Collector: c, Store: store, Reload: store.Reload, Logger: log.NewLogfmtLogger(canary.NewLog(t)),
		TelemetryPath: "/metrics", ProbeSessions: true, MaxRequests: 40,
	}
	for _, change := range change {
		change(&o)
	}
	handler, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func maxRequests(n int) func(*Options) { return func(o *Options) { o.MaxRequests = n } }

func lifecycle(o *Options) { o.Lifecycle = true }

func logTo(w io.Writer) func(*Options) {
	return func(o *Options) { o.Logger = log.NewLogfmtLogger(log.NewSyncWriter(w)) }
}

// A fake is a Collector with given results.
type fake struct {
	results  []collector.Result
	gates    map[string]chan struct{} // by target: a probe waits until it can receive
	panics   func()                   // unless nil, probes and summaries call it
	retryErr error                    // of RetryLogin

	mu       sync.Mutex
	requests []collector.Request
	retried  []string
}

func (f *fake) Probe(r collector.Request) ([]collector.Result, error) {
	f.mu.Lock()
	f.requests = append(f.requests, r)
	f.mu.Unlock()
	if f.panics != nil {
		f.panics()
	}
	if r.Target == "nowhere" {
		return nil, collector.ErrUnknownTarget
	}
	if gate := f.gates[r.Target]; gate != nil {
		<-gate
	}
	return f.results, nil
}

func (f *fake) Summaries() []collector.Summary {
	if f.panics != nil {
		f.panics()
	}
	summaries := make([]collector.Summary, len(f.results))
	for i, r := range f.results {
		summaries[i] = collector.Summary{Target: r.Target, Session: r.Session, ResultName: r.ResultName(), Start: r.Start, Since: r.Start, Duration: r.Duration}
	}
	return summaries
}

// History returns a history of probes with the same result.
func (f *fake) History(target, session string) (collector.History, error) {
	i := slices.IndexFunc(f.results, func(r collector.Result) bool { return r.Target == target && r.Session == session })
	if i < 0 {
		return collector.History{}, collector.ErrUnknownSession
	}
	r := f.results[i]
	if r.ResultName() == "" {
		return collector.History{Last: r}, nil
	}
	return collector.History{
		Last:    r,
		Points:  slices.Repeat([]collector.Point{{Start: r.Start, Duration: r.Duration, ResultName: r.ResultName()}}, collector.MaxPoints),
		Streaks: []collector.Streak{{ResultName: r.ResultName(), First: r.Start, Last: r.Start, Probes: collector.MaxPoints}},
	}, nil
}

func (f *fake) Version(target string) *collector.Version {
	for i := range f.results {
		if f.results[i].Target == target {
			return f.results[i].Version
		}
	}
	return nil
}

func (f *fake) Last() []collector.Result { return f.results }

func (f *fake) RetryLogin(ctx context.Context, target, session string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if f.retryErr == nil {
		f.retried = append(f.retried, target+"/"+session)
	}
	return f.retryErr
}

func (*fake) Register(prometheus.Registerer, func() (bool, time.Time)) {}

// validResults returns the results of n valid sessions.
func validResults(n int) []collector.Result {
	results := make([]collector.Result, n)
	for i := range results {
		results[i] = collector.Result{Target: "studio", Session: fmt.Sprintf("session-%d", i), Answer: hmp.Answer{Result: hmp.Valid, Responded: true, StatusCode: 200}}
	}
	results[0].Session = "playout"
	return results
}

// An exporter has a real collector and a simulated HMP.
type exporter struct {
	t       *testing.T
	hmp     *hmpsim.Server
	hmpURL  string
	file    string // of the configuration
	store   *config.Store
	handler http.Handler
}

func newExporter(t *testing.T, configuration string, change ...func(*Options)) *exporter {
	t.Helper()
	e := &exporter{t: t, hmp: hmpsim.New(), file: filepath.Join(t.TempDir(), "hmp.yml")}
	e.hmp.SetToken("CANARY-playout", validSession())
	e.hmp.SetToken("CANARY-archive", hmpsim.NoRoles())
	e.hmp.SetToken("CANARY-relay", validSession())
	listening, err := e.hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listening.Close)
	e.hmpURL = listening.URL
	e.configure(configuration)

	logger := log.NewLogfmtLogger(log.NewSyncWriter(canary.NewLog(t)))
	sessions := collector.New(collector.Options{MaxConcurrent: 100, TimeoutOffset: 500 * time.Millisecond, Logger: logger})
	t.Cleanup(sessions.Close)
	e.store = config.NewStore((&config.Source{File: e.file}).Load, sessions.Apply)
	if err := e.store.Reload(); err != nil {
		t.Fatal(err)
	}
	e.handler = newHandler(t, sessions, append([]func(*Options){func(o *Options) { o.Store, o.Reload = e.store, e.store.Reload }}, change...)...)
	return e
}

// validSession is a session with a canary in each field that is secret or personal.
func validSession() hmpsim.Behaviour {
	s := hmpsim.ExampleSession()
	s.SessionID, s.Username, s.DisplayName = canary.Word+"-id", canary.Word+"-user", canary.Word+" the User"
	s.Groups = []string{canary.Word + "-group"}
	return hmpsim.Valid(s)
}

// configure writes the configuration for the next reload.
func (e *exporter) configure(configuration string) {
	e.t.Helper()
	exportertest.WriteFile(e.t, e.file, strings.ReplaceAll(configuration, "url: HMP", "url: "+e.hmpURL))
}

func (e *exporter) do(method, path string, header ...string) reply {
	e.t.Helper()
	return serve(e.t, e.handler, method, path, header...)
}

func (e *exporter) get(path string, header ...string) reply {
	e.t.Helper()
	return e.do(http.MethodGet, path, header...)
}

// probes returns the number of requests to the HMP.
func (e *exporter) probes() int {
	s := e.hmp.Stats()
	return s.GETs + s.POSTs + s.Others
}

// A reply is the answer to a request.
type reply struct {
	status int
	header http.Header
	body   string // decompressed
}

// serve returns the answer of a handler.
func serve(t testing.TB, h http.Handler, method, path string, header ...string) reply {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return read(t, w.Result())
}

// read reads an answer and checks it for secrets.
func read(t testing.TB, resp *http.Response) reply {
	t.Helper()
	defer resp.Body.Close()
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" && resp.ContentLength != 0 {
		z, err := gzip.NewReader(body)
		if err != nil {
			t.Error(err)
			return reply{}
		}
		body = z
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Error(err)
	}
	canary.Check(t, "an answer", fmt.Sprint(resp.Header)+string(text))
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// want checks the status and parts of the body.
func (r reply) want(t testing.TB, status int, parts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d: %.300s", r.status, status, r.body)
	}
	for _, part := range parts {
		if !strings.Contains(r.body, part) {
			t.Errorf("%q is not in the answer: %.600s", part, r.body)
		}
	}
}

// series returns the sorted series of an exposition whose name has a prefix, without values.
func (r reply) series(t testing.TB, prefix string) []string {
	t.Helper()
	r.want(t, http.StatusOK)
	text := r.body
	if format := expfmt.ResponseFormat(r.header); format.FormatType() == expfmt.TypeProtoDelim {
		text = protobufText(t, r.body, format)
	}
	var series []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			series = append(series, line[:strings.LastIndex(line, " ")])
		}
	}
	slices.Sort(series)
	return series
}

// protobufText converts an exposition into the text format.
func protobufText(t testing.TB, body string, format expfmt.Format) string {
	t.Helper()
	var text strings.Builder
	for decoder := expfmt.NewDecoder(strings.NewReader(body), format); ; {
		var f dto.MetricFamily
		if err := decoder.Decode(&f); errors.Is(err, io.EOF) {
			return text.String()
		} else if err != nil {
			t.Fatal(err)
		}
		if _, err := expfmt.MetricFamilyToText(&text, &f); err != nil {
			t.Fatal(err)
		}
	}
}

// webFlags returns flags of the exporter toolkit.
func webFlags(configFile string, addresses ...string) *toolkit.FlagConfig {
	return &toolkit.FlagConfig{WebListenAddresses: &addresses, WebSystemdSocket: new(bool), WebConfigFile: &configFile}
}
