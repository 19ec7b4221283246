package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hmp_exporter/collector"
	"hmp_exporter/config"
)

// The paths that scrape, beside the telemetry path.
const (
	probePath   = "/probe"
	sessionPath = "/session"
	retryPath   = "/retry-login"
	allPath     = "/probe-all"
)

// A Collector makes the probes of a scrape: [collector.Collector] does.
type Collector interface {
	Probe(r collector.Request) ([]collector.Result, error)
	Summaries() []collector.Summary
	History(target, session string) (collector.History, error)
	Version(target string) *collector.Version
	Last() []collector.Result
	RetryLogin(ctx context.Context, target, session string) error
	Register(r prometheus.Registerer, reload func() (ok bool, last time.Time))
}

// Options of the HTTP surface.
type Options struct {
	Collector Collector
	Store     *config.Store
	Reload    func() error // loads the configuration again
	Logger    log.Logger

	TelemetryPath string // of the metrics; begins with a slash
	Location      Location
	ProbeSessions bool          // probe every session for the telemetry path
	ProbeInterval time.Duration // how often all sessions are probed without a scrape; 0 for never
	MaxRequests   int           // scrapes at once, of the telemetry path and of each target; 0 for any number
	Lifecycle     bool          // allow POST /-/reload
	Pprof         bool          // serve /debug/pprof/
}

type handler struct {
	Options
	registry   *prometheus.Registry // the exporter's metrics about itself
	limiter    *limiter
	lastFormat atomic.Pointer[negotiated]
}

// New returns the handler of all paths. It fails if the telemetry path is not one
// or is another's, or if no request may be answered.
func New(o Options) (http.Handler, error) {
	if err := checkTelemetryPath(o.TelemetryPath); err != nil {
		return nil, err
	}
	h := &handler{
		Options:  o,
		registry: prometheus.NewRegistry(),
		limiter:  newLimiter(o.MaxRequests, o.Logger, o.TelemetryPath, probePath, sessionPath, retryPath, allPath),
	}
	h.registry.MustRegister(
		h.limiter.refused,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	o.Collector.Register(h.registry, o.Store.Status)

	mux := http.NewServeMux()
	handle := func(method, path string, f http.HandlerFunc) { mux.Handle(method+" "+o.Location.Prefix+path, f) }
	handle("GET", o.TelemetryPath, promhttp.InstrumentMetricHandler(h.registry, http.HandlerFunc(h.metrics)).ServeHTTP)
	handle("GET", probePath, h.probe)
	handle("GET", "/{$}", h.status)
	handle("GET", sessionPath, h.session)
	handle("POST", sessionPath, h.probeNow)
	handle("POST", retryPath, h.retryLogin)
	handle("POST", allPath, h.probeAll)
	handle("GET", runbookPath, h.runbook)
	handle("GET", lastPath, h.last)
	handle("GET", "/style.css", asset("text/css; charset=utf-8", styleCSS))
	handle("GET", "/live.js", asset("text/javascript; charset=utf-8", liveJS))
	handle("GET", "/config", h.config)
	handle("GET", "/sd", h.discovery)
	handle("GET", "/-/healthy", h.healthy)
	handle("GET", "/-/ready", h.ready)
	handle("POST", "/-/reload", h.reload)
	if o.Pprof {
		handle("GET", "/debug/pprof/", http.StripPrefix(o.Location.Prefix, http.HandlerFunc(pprof.Index)).ServeHTTP)
		handle("GET", "/debug/pprof/cmdline", pprof.Cmdline)
		handle("GET", "/debug/pprof/profile", pprof.Profile)
		handle("GET", "/debug/pprof/symbol", pprof.Symbol)
		handle("GET", "/debug/pprof/trace", pprof.Trace)
	}
	if prefix := o.Location.Prefix; prefix != "" {
		mux.HandleFunc("GET /{$}", redirect(strings.TrimPrefix(prefix, "/")+"/"))
		mux.HandleFunc("GET "+prefix, redirect(path.Base(prefix)+"/"))
	}
	protection, err := sameOrigin(o.Location.origin)
	if err != nil {
		return nil, err
	}
	return protect(protection.Handler(mux), o.Logger), nil
}

// redirect leads to a relative address. [http.Redirect] would not leave it so, and a proxy may
// add a prefix of its own.
func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

func checkTelemetryPath(p string) error {
	if path.Clean(p) != p || !path.IsAbs(p) || (&url.URL{Path: p}).EscapedPath() != p {
		return fmt.Errorf("telemetry path %q is not a path: give one such as /metrics", p)
	}
	taken := []string{"/", probePath, "/config", "/sd", sessionPath, retryPath, allPath, runbookPath, lastPath, "/style.css", "/live.js"}
	if slices.Contains(taken, p) || strings.HasPrefix(p, "/-/") || strings.HasPrefix(p, "/debug/pprof") {
		return fmt.Errorf("telemetry path %q serves something else: give another, such as /metrics", p)
	}
	return nil
}
