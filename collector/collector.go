package collector

import (
	"context"
	"net"
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
	// Logger gets a line when the result of a session changes.
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
	applied  chan struct{} // has a value after Apply
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
// name. Probes under way go on. Later scrapes share them, except for sessions whose
// configuration has changed.
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
	c.limiter.forget(func(name string) bool { return next.byName[name] != nil })
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
// the configuration. It returns before the scrape times out. The error is an
// [ErrUnknownTarget] or [ErrUnknownSession].
func (c *Collector) Probe(r Request) ([]Result, error) {
	sessions, err := c.snapshot.Load().sessionsOf(r.Target, r.Session)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	calls := make([]call, len(sessions))
	var started []*waiter
	for i, s := range sessions {
		timeout := probeTimeout(s.target.Timeout, r.ScrapeTimeout, c.options.TimeoutOffset)
		p, isNew := c.join(s, start, timeout)
		calls[i] = call{probe: p, session: s, start: start, timeout: timeout}
		if isNew {
			started = append(started, &p.waiter)
		} else {
			c.metrics.coalesced.Inc()
		}
	}
	c.limiter.enqueue(started...)

	results := make([]Result, len(sessions))
	for i := range calls {
		results[i] = c.wait(&calls[i])
		results[i].Version = sessions[i].target.version.known()
	}
	return results, nil
}

// RetryLogin makes the next probe of a session log in at once, even while logins are
// suspended. It is for a person who has changed something in HMP. The error is
// [ErrNoLogin], [ErrTooSoon], an error of [Collector.Probe], or of reading the API key.
func (c *Collector) RetryLogin(ctx context.Context, target, session string) error {
	s, err := c.snapshot.Load().session(target, session)
	if err != nil {
		return err
	}
	if !s.KeyMode() {
		return ErrNoLogin
	}
	secrets, err := s.readSecrets(ctx)
	if err != nil {
		return err
	}
	if err := c.tokens.RetryLogin(s.credential(secrets)); err != nil {
		return err
	}
	s.state.mu.Lock()
	s.state.probe = nil // a probe under way may have decided already not to log in
	s.state.mu.Unlock()
	return nil
}
