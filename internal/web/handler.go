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
)

// A Collector makes the probes of a scrape: [collector.Collector] does.
type Collector interface {
	Probe(r collector.Request) ([]collector.Result, error)
	Summaries() []collector.Summary
	History(target, session string) (collector.History, error)
	Version(target string) *collector.Version
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
	ProbeSessions bool   // probe every session for the telemetry path
	MaxRequests   int    // scrapes at once, of the telemetry path and of each target; 0 for any number
	Lifecycle     bool   // allow POST /-/reload
	Pprof         bool   // serve /debug/pprof/
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
		limiter:  newLimiter(o.MaxRequests, o.Logger, o.TelemetryPath, probePath, sessionPath, retryPath),
	}
	h.registry.MustRegister(
		h.limiter.refused,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	o.Collector.Register(h.registry, o.Store.Status)

	mux := http.NewServeMux()
	mux.Handle("GET "+o.TelemetryPath, promhttp.InstrumentMetricHandler(h.registry, http.HandlerFunc(h.metrics)))
	mux.HandleFunc("GET "+probePath, h.probe)
	mux.HandleFunc("GET /{$}", h.status)
	mux.HandleFunc("GET "+sessionPath, h.session)
	mux.HandleFunc("POST "+sessionPath, h.probeNow)
	mux.HandleFunc("POST "+retryPath, h.retryLogin)
	mux.HandleFunc("GET /style.css", asset("text/css; charset=utf-8", styleCSS))
	mux.HandleFunc("GET /live.js", asset("text/javascript; charset=utf-8", liveJS))
	mux.HandleFunc("GET /config", h.config)
	mux.HandleFunc("GET /sd", h.discovery)
	mux.HandleFunc("GET /-/healthy", h.healthy)
	mux.HandleFunc("GET /-/ready", h.ready)
	mux.HandleFunc("POST /-/reload", h.reload)
	if o.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return protect(sameOrigin(mux), o.Logger), nil
}

func checkTelemetryPath(p string) error {
	if path.Clean(p) != p || !path.IsAbs(p) || (&url.URL{Path: p}).EscapedPath() != p {
		return fmt.Errorf("telemetry path %q is not a path: give one such as /metrics", p)
	}
	taken := []string{"/", probePath, "/config", "/sd", sessionPath, retryPath, "/style.css", "/live.js"}
	if slices.Contains(taken, p) || strings.HasPrefix(p, "/-/") || strings.HasPrefix(p, "/debug/pprof") {
		return fmt.Errorf("telemetry path %q serves something else: give another, such as /metrics", p)
	}
	return nil
}
