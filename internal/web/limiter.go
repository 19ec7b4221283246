package web

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"hmp_exporter/collector"
)

// A limiter bounds the scrapes under way of each target. So an HMP that hangs takes no place
// of another HMP. The telemetry path counts as a target with the name "".
type limiter struct {
	limit   int // scrapes of one target at once; 0 for no limit
	logger  log.Logger
	refused *prometheus.CounterVec
	warn    map[string]*rate.Sometimes // by path

	mu       sync.Mutex
	underWay map[string]int // scrapes by target
}

// newLimiter returns a limiter for paths. Each path has a counter of refused scrapes from the
// start.
func newLimiter(limit int, logger log.Logger, paths ...string) *limiter {
	m := collector.MetricNamed(collector.ScrapesRefused)
	l := &limiter{
		limit:    limit,
		logger:   logger,
		refused:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.Name, Help: m.Help}, m.Labels),
		warn:     make(map[string]*rate.Sometimes, len(paths)),
		underWay: make(map[string]int),
	}
	for _, path := range paths {
		l.refused.WithLabelValues(path)
		l.warn[path] = &rate.Sometimes{Interval: time.Minute}
	}
	return l
}

// acquire takes a place for a scrape. If the target has none, acquire answers with a 503 and
// returns false. After true the caller must call release.
func (l *limiter) acquire(w http.ResponseWriter, path, target string) bool {
	l.mu.Lock()
	free := l.limit <= 0 || l.underWay[target] < l.limit
	if free {
		l.underWay[target]++
	}
	l.mu.Unlock()
	if free {
		return true
	}
	l.refused.WithLabelValues(path).Inc()
	what := "all sessions"
	if target != "" {
		what = fmt.Sprintf("target %.64q", target) // it can be any text of a client
	}
	l.warn[path].Do(func() {
		_ = level.Warn(l.logger).Log("msg", "refused a scrape, because as many as --web.max-requests are under way",
			"path", path, "of", what, "limit", l.limit)
	})
	w.Header().Set("Retry-After", "1")
	http.Error(w, fmt.Sprintf("%d scrapes of %s are under way, which is the limit of --web.max-requests", l.limit, what),
		http.StatusServiceUnavailable)
	return false
}

// release frees the place of a scrape.
func (l *limiter) release(target string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.underWay[target]--; l.underWay[target] == 0 {
		delete(l.underWay, target)
	}
}
