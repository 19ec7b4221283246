package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"hmp_exporter/collector"
	"hmp_exporter/config"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// A fake is a Collector whose results are given.
type fake struct {
	results []collector.Result
	// gate, unless nil, holds each probe until it has sent something. As with the
	// real one, a scraper that hangs up does not end the probe.
	gate chan struct{}
	// healthy tells the targets that the gate does not hold; nil for none.
	healthy func(target string) bool
	// own, unless nil, is a metric of its own.
	own prometheus.Collector
	// retried has the sessions whose logins were tried at once; the next one ends in retryErr.
	mu       sync.Mutex
	retried  []string
	retryErr error
}

func (f *fake) RetryLogin(_ context.Context, target, session string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.retryErr == nil {
		f.retried = append(f.retried, target+"/"+session)
	}
	return f.retryErr
}

func (f *fake) Probe(r collector.Request) ([]collector.Result, error) {
	if f.gate != nil && (f.healthy == nil || !f.healthy(r.Target)) {
		<-f.gate
	}
	return f.results, nil
}

func (f *fake) Last() []collector.Result { return f.results }

func (f *fake) Summaries() []collector.Summary {
	summaries := make([]collector.Summary, len(f.results))
	for i, r := range f.results {
		summaries[i] = collector.Summary{Target: r.Target, Session: r.Session, ResultName: r.ResultName(), Start: r.Start, Since: r.Start, Duration: r.Duration}
	}
	return summaries
}

func (f *fake) Version(target string) *collector.Version {
	for i := range f.results {
		if f.results[i].Target == target {
			return f.results[i].Version
		}
	}
	return nil
}

// History has the first result of a session, as the last of many probes.
func (f *fake) History(target, session string) (collector.History, error) {
	for _, r := range f.results {
		if r.Target == target && r.Session == session {
			return historyOf(r), nil
		}
	}
	if session == "" && target == "nowhere" {
		return collector.History{}, collector.ErrUnknownTarget
	}
	return collector.History{}, collector.ErrUnknownSession
}

// historyOf returns the history of a session all of whose probes ended in a result.
func historyOf(r collector.Result) collector.History {
	if r.ResultName() == "" {
		return collector.History{Last: r}
	}
	return collector.History{
		Last:    r,
		Points:  slices.Repeat([]collector.Point{{Start: r.Start, Duration: r.Duration, ResultName: r.ResultName()}}, collector.MaxPoints),
		Streaks: []collector.Streak{{ResultName: r.ResultName(), First: r.Start, Last: r.Start, Probes: collector.MaxPoints}},
	}
}

func (f *fake) Register(r prometheus.Registerer, _ func() (bool, time.Time)) {
	if f.own != nil {
		r.MustRegister(f.own)
	}
}

// handlerOf returns the handler of a collector without a configuration.
func handlerOf(t testing.TB, c Collector, change ...func(*Options)) http.Handler {
	t.Helper()
	o := Options{
		Collector:     c,
		Store:         config.NewStore(nil, nil),
		Logger:        log.NewNopLogger(),
		TelemetryPath: "/metrics",
		ProbeSessions: true,
		MaxRequests:   permits,
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

// someResults are those of n sessions that are valid.
func someResults(n int) []collector.Result {
	return slices.Repeat([]collector.Result{{
		Target: "studio", Session: "playout", Answer: hmp.Answer{Result: hmp.Valid, Responded: true, StatusCode: 200},
	}}, n)
}

// A piped server is one of [Serve] on a network in memory, for a synctest bubble.
type piped struct {
	pipe    *hmpsim.PipeListener
	client  *http.Client
	dialled atomic.Int32 // connections of the client
	stop    context.CancelFunc
	ended   chan struct{} // closed when Serve has returned err
	err     error
}

// servePiped serves until stop is called or the test ends.
func servePiped(t *testing.T, h http.Handler) *piped {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	p := &piped{pipe: hmpsim.ListenPipe(), client: newClient(t), stop: stop, ended: make(chan struct{})}
	p.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		p.dialled.Add(1)
		return p.pipe.DialContext(ctx, network, address)
	}
	go func() {
		defer close(p.ended)
		p.err = Serve(ctx, []net.Listener{p.pipe}, h, webFlags(""), slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		stop()
		<-p.ended
	})
	return p
}

// webFlags are those of the exporter toolkit.
func webFlags(configFile string, addresses ...string) *toolkit.FlagConfig {
	systemd := false
	return &toolkit.FlagConfig{WebListenAddresses: &addresses, WebSystemdSocket: &systemd, WebConfigFile: &configFile}
}

// A scrape is one that is under way.
type scrape struct {
	cancel context.CancelFunc // hangs up
	answer chan reply         // closed when the scraper has hung up
}

// scrape begins a scrape of all sessions.
func (p *piped) scrape(t *testing.T) scrape {
	t.Helper()
	return p.begin(t, http.MethodGet, "/metrics")
}

// begin begins a request.
func (p *piped) begin(t *testing.T, method, path string) scrape {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := scrape{cancel: cancel, answer: make(chan reply, 1)}
	go func() {
		defer close(s.answer)
		if r, err := try(ctx, t, p.client, method, "http://localhost"+path); err == nil {
			s.answer <- r
		}
	}()
	return s
}
