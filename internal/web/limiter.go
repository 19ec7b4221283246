package web

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"hmp_exporter/collector"
)

// A limiter bounds the scrapes under way, of the telemetry path and of each target by
// itself: an HMP that hangs takes no place of another's. It knows configured targets only,
// and those only while they are scraped, so that its size is bounded.
type limiter struct {
	most    int // of one target at once; 0 for any number
	logger  log.Logger
	refused *prometheus.CounterVec
	warn    map[string]*rate.Sometimes // by path

	mu       sync.Mutex
	underWay map[string]int // scrapes by target; "" is the telemetry path
}

// newLimiter returns a limiter for the given paths, each of which has a count of refused
// scrapes from the start.
func newLimiter(most int, logger log.Logger, paths ...string) *limiter {
	row := slices.IndexFunc(collector.Metrics, func(m collector.Metric) bool { return m.Name == collector.ScrapesRefused })
	m := collector.Metrics[row]
	l := &limiter{
		most:     most,
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

// begin reports whether another scrape of a target may begin. If not, it has answered with
// a 503. Who may begin calls end.
func (l *limiter) begin(w http.ResponseWriter, path, target string) bool {
	if l.take(target) {
		return true
	}
	l.refused.WithLabelValues(path).Inc()
	l.warn[path].Do(func() {
		_ = level.Warn(l.logger).Log("msg", "refused a scrape, because as many as --web.max-requests are under way",
			"path", path, "target", target, "limit", l.most)
	})
	what := path
	if target != "" {
		what = "target " + target
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, fmt.Sprintf("%d scrapes of %s are under way, which is the limit of --web.max-requests", l.most, what),
		http.StatusServiceUnavailable)
	return false
}

func (l *limiter) take(target string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most > 0 && l.underWay[target] >= l.most {
		return false
	}
	l.underWay[target]++
	return true
}

// end ends a scrape that has begun.
func (l *limiter) end(target string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.underWay[target]--; l.underWay[target] == 0 {
		delete(l.underWay, target)
	}
}
