package collector

import (
	"context"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/config"
	"hmp_exporter/internal/token"
)

// Options of a [Collector].
type Options struct {
	// MaxConcurrent bounds the probes under way of all scrapes together.
	MaxConcurrent int
	// TimeoutOffset is how much earlier than a scrape its probes must end.
	TimeoutOffset time.Duration
	// Version is true if the collector asks HMPs for their version.
	Version bool
	// UserAgent names this program to HMPs, as name/version.
	UserAgent string
	// Logger gets the changes of results, panics, and details at level debug.
	Logger log.Logger
}

// A Collector probes the sessions of a configuration. It is safe for concurrent use.
type Collector struct {
	options Options
	limiter *limiter
	tokens  token.Manager
	metrics selfMetrics
	dial    dialFunc        // only tests set it
	ctx     context.Context // of the version requests, until Close
	cancel  context.CancelFunc

	applying sync.Mutex
	applied  chan struct{} // has a value after Apply, for ProbeEvery
	snapshot atomic.Pointer[snapshot]
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// New returns a collector without a configuration. It has nothing to probe before [Collector.Apply].
func New(o Options) *Collector {
	c := &Collector{options: o, limiter: newLimiter(o.MaxConcurrent), metrics: newSelfMetrics(), applied: make(chan struct{}, 1)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.snapshot.Store(new(snapshot))
	return c
}

// Apply makes later scrapes use a configuration. The state of a session stays with its
// name. Probes under way go on. Later scrapes share them, unless the configuration of the
// session has changed.
func (c *Collector) Apply(cfg *config.Config) {
	c.applying.Lock()
	defer c.applying.Unlock()
	old := c.snapshot.Load()
	next := c.newSnapshot(cfg, old)
	c.snapshot.Store(next)
	select {
	case c.applied <- struct{}{}:
	default:
	}
	c.limiter.forgetOthers(next.byName)
	old.close(next)
}

// Close closes the idle connections and cancels the version requests.
func (c *Collector) Close() {
	c.cancel()
	c.snapshot.Load().close(nil)
}

// A Request names the sessions to probe: all, those of a target, or one.
type Request struct {
	Target  string // "" for all
	Session string // "" for all of the target
	// ScrapeTimeout is the header X-Prometheus-Scrape-Timeout-Seconds, "" if there was none.
	ScrapeTimeout string
}

// Probe probes the sessions that r names and returns a result for each one in the order of
// the configuration. It returns when all probes have ended, and by [maxResultDelay] after the
// end of probeTimeout at the latest. The error is an [ErrUnknownTarget] or [ErrUnknownSession].
func (c *Collector) Probe(r Request) ([]Result, error) {
	sessions, err := c.snapshot.Load().sessionsOf(r.Target, r.Session)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	callers := make([]caller, len(sessions))
	var newProbes []*waiter
	for i, s := range sessions {
		timeout := probeTimeout(s.target.Timeout, r.ScrapeTimeout, c.options.TimeoutOffset)
		p, isNew := c.join(s, start, timeout)
		callers[i] = caller{index: i, probe: p, session: s, start: start, timeout: timeout}
		if isNew {
			newProbes = append(newProbes, &p.waiter)
		} else {
			c.metrics.coalesced.Inc()
		}
	}
	// The limiter calls [sharedProbe.run] for each new probe, once there is a slot for it.
	c.limiter.enqueue(newProbes...)

	results := make([]Result, len(sessions))
	// A shared probe can end without a final result, because it had less time than this scrape.
	// Then another probe begins. So wait first for the probes that end first.
	slices.SortStableFunc(callers, func(a, b caller) int { return a.probe.deadline().Compare(b.probe.deadline()) })
	var retries sync.WaitGroup
	for i := range callers {
		c := &callers[i]
		result, isFinal := c.wait()
		if results[c.index] = result; !isFinal {
			retries.Go(func() { results[c.index] = c.retry() })
		}
	}
	retries.Wait()
	for i, s := range sessions {
		results[i].Version = s.target.version.known()
	}
	return results, nil
}

// probeTimeout returns how long a probe may take: its timeout, or less if the scrape has
// less time. The header X-Prometheus-Scrape-Timeout-Seconds has the time of the scrape. The
// offset is subtracted, at most half of the header, so that Prometheus still waits for the
// answer. An invalid header is ignored.
func probeTimeout(timeout time.Duration, header string, offset time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || !(seconds > 0) || seconds >= (timeout+offset).Seconds() {
		return timeout
	}
	scrape := time.Duration(seconds * float64(time.Second))
	return max(1, min(timeout, max(scrape-offset, scrape/2)))
}
