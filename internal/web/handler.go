package web

import (
	"context"
	"fmt"
	"net/http"
	_ "net/http/pprof" //nolint:gosec // New serves the default mux only with Pprof
	"path"
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

// The paths that probe, beside the telemetry path.
const (
	probePath      = "/probe"
	probeAllPath   = "/probe-all"
	sessionPath    = "/session"
	retryLoginPath = "/retry-login"
)

// A Collector probes sessions. [collector.Collector] implements it.
type Collector interface {
	Probe(r collector.Request) ([]collector.Result, error)
	Summaries() []collector.Summary
	History(target, session string) (collector.History, error)
	Version(target string) *collector.Version
	Last() []collector.Result
	RetryLogin(ctx context.Context, target, session string) error
	Register(r prometheus.Registerer, reload func() (ok bool, last time.Time))
}

// Options of [New].
type Options struct {
	Collector Collector
	Store     *config.Store // has a configuration
	Reload    func() error
	Logger    log.Logger

	TelemetryPath string // the path of the metrics, with a slash in front
	BaseURL       BaseURL
	ProbeSessions bool          // the telemetry path probes every session
	ProbeInterval time.Duration // how often the exporter probes every session without a scrape; 0 for never
	MaxRequests   int           // scrapes at once of the telemetry path and of each target; 0 for no limit
	Lifecycle     bool          // allow POST /-/reload
	Pprof         bool          // serve /debug/pprof/
}

type handler struct {
	Options
	registry   *prometheus.Registry // metrics of the exporter itself
	limiter    *limiter
	lastFormat atomic.Pointer[negotiated]
}

// New returns the handler of all paths. It returns an error if the telemetry path is not a
// path or belongs to another page.
func New(o Options) (http.Handler, error) {
	h := &handler{Options: o, registry: prometheus.NewRegistry()}
	routes := h.routes()
	if err := checkTelemetryPath(o.TelemetryPath, routes); err != nil {
		return nil, err
	}
	h.limiter = newLimiter(o.MaxRequests, o.Logger, o.TelemetryPath, probePath, probeAllPath, sessionPath, retryLoginPath)
	h.registry.MustRegister(
		h.limiter.refused,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	o.Collector.Register(h.registry, o.Store.Status)
	routes["GET "+o.TelemetryPath] = promhttp.InstrumentMetricHandler(h.registry, http.HandlerFunc(h.metrics)).ServeHTTP
	mux := http.NewServeMux()
	prefix := o.BaseURL.Prefix
	for route, handle := range routes {
		method, p, _ := strings.Cut(route, " ")
		mux.HandleFunc(method+" "+prefix+p, handle)
	}
	if prefix != "" {
		mux.HandleFunc("GET /{$}", redirect(strings.TrimPrefix(prefix, "/")+"/"))
		mux.HandleFunc("GET "+prefix, redirect(path.Base(prefix)+"/"))
	}
	protection, err := sameOrigin(o.BaseURL.origin)
	if err != nil {
		return nil, err
	}
	return secure(recoverPanics(protection.Handler(mux), o.Logger)), nil
}

// routes returns the handlers by method and path, without the telemetry path.
func (h *handler) routes() map[string]http.HandlerFunc {
	routes := map[string]http.HandlerFunc{
		"GET " + probePath:       h.probe,
		"GET /{$}":               h.status,
		"GET " + sessionPath:     h.session,
		"POST " + sessionPath:    h.probeNow,
		"POST " + probeAllPath:   h.probeAll,
		"POST " + retryLoginPath: h.retryLogin,
		"GET /runbook":           h.runbook,
		"GET /style.css":         asset("style.css", "text/css; charset=utf-8"),
		"GET /live.js":           asset("live.js", "text/javascript; charset=utf-8"),
		"GET /sessions.json":     h.sessionsJSON,
		"GET /config":            h.config,
		"GET /sd":                h.discovery,
		"GET /-/healthy":         h.healthy,
		"GET /-/ready":           h.ready,
		"POST /-/reload":         h.handleReload,
	}
	if h.Pprof {
		routes["GET /debug/pprof/"] = http.StripPrefix(h.BaseURL.Prefix, http.DefaultServeMux).ServeHTTP
	}
	return routes
}

// redirect redirects to a relative URL. [http.Redirect] would make it absolute, but a proxy may
// add a prefix of its own.
func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

func checkTelemetryPath(p string, routes map[string]http.HandlerFunc) error {
	if !isPath(p) {
		return fmt.Errorf("telemetry path %q is not a path: give one such as /metrics", p)
	}
	taken := p == "/" || strings.HasPrefix(p, "/-/") || strings.HasPrefix(p, "/debug/pprof")
	for route := range routes {
		taken = taken || strings.HasSuffix(route, " "+p)
	}
	if taken {
		return fmt.Errorf("telemetry path %q serves something else: give another, such as /metrics", p)
	}
	return nil
}
