package collector

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"golang.org/x/sync/semaphore"

	"hmp_exporter/config"
	"hmp_exporter/internal/session"
)

// Options of a [Collector].
type Options struct {
	// MaxConcurrent bounds how many probes there are at once, of all scrapes.
	MaxConcurrent int
	// TimeoutOffset is how much earlier than a scrape its probes have to end.
	TimeoutOffset time.Duration
	// UserAgent is what HMPs are told about this program, as name/version.
	UserAgent string
	// Logger is told when the result of a session changes.
	Logger log.Logger
}

// A Collector probes the sessions of a configuration. Many goroutines may use it
// at once.
type Collector struct {
	offset    time.Duration
	userAgent string
	logger    log.Logger
	places    *semaphore.Weighted // one for each probe

	maxConcurrent int
	metrics       ownMetrics
	keyring       session.Keyring
	dial          dialFunc // nil but in tests

	applying sync.Mutex
	fleet    atomic.Pointer[fleet]
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// New returns a collector without a configuration, which has nothing to probe.
func New(o Options) *Collector {
	c := &Collector{
		offset:    o.TimeoutOffset,
		userAgent: o.UserAgent,
		logger:    o.Logger,
		places:    semaphore.NewWeighted(int64(o.MaxConcurrent)),

		maxConcurrent: o.MaxConcurrent,
		metrics:       newOwnMetrics(),
	}
	c.fleet.Store(new(fleet))
	return c
}

// Apply puts a configuration in force for the scrapes to come. Sessions keep what
// was counted for their names, and tokens stay in use as long as the HMP and the
// credential are the same; scrapes under way finish with what they began with.
func (c *Collector) Apply(cfg *config.Config) {
	c.applying.Lock()
	defer c.applying.Unlock()
	old := c.fleet.Load()
	next := c.newFleet(cfg, old)
	c.retire(old, next)
	c.fleet.Store(next)
	old.close()
}

// Close lets go of kept connections.
func (c *Collector) Close() { c.fleet.Load().close() }

// A Request is for probes of some sessions: of all, of those of a target, or of one.
type Request struct {
	Target  string // "" for all
	Session string // "" for all of the target
	// ScrapeTimeout is the header X-Prometheus-Scrape-Timeout-Seconds, if there was one.
	ScrapeTimeout string
	// Done, unless nil, is told each result as it comes. Calls can overlap.
	Done func(Result)
}

// Probe probes the sessions that r names, as many at once as there is room for, and
// returns a result for each one in the order of the configuration, targets
// together. The error is an [ErrUnknownTarget] or [ErrUnknownSession].
func (c *Collector) Probe(ctx context.Context, r Request) ([]Result, error) {
	targets, err := c.fleet.Load().choose(r.Target, r.Session)
	if err != nil {
		return nil, err
	}
	start, sessions := time.Now(), 0
	for _, members := range targets {
		sessions += len(members)
	}
	results := make([]Result, sessions)
	if sessions == 1 {
		m := targets[0][0]
		s := span{start, allowance(m.target.Timeout, r.ScrapeTimeout, c.offset)}
		results[0] = c.probe(ctx, m.board(s.end()), s)
		if r.Done != nil {
			r.Done(results[0])
		}
		return results, nil
	}
	var probing sync.WaitGroup
	rest := results
	for _, members := range targets {
		s := span{start, allowance(members[0].target.Timeout, r.ScrapeTimeout, c.offset)}
		c.probeTarget(ctx, &probing, members, s, rest[:len(members)], r.Done)
		rest = rest[len(members):]
	}
	probing.Wait()
	return results, nil
}

// probeTarget probes the sessions of a target. All have a flight from the beginning,
// which scrapes that come a moment later share, whether it has started or waits.
func (c *Collector) probeTarget(ctx context.Context, probing *sync.WaitGroup, members []*member, s span, results []Result, done func(Result)) {
	seats := make([]seat, len(members))
	var pilots []int
	for i, m := range members {
		if seats[i] = m.board(s.end()); seats[i].pilot {
			pilots = append(pilots, i)
		}
	}
	probe := func(i int) {
		results[i] = c.probe(ctx, seats[i], s)
		if done != nil {
			done(results[i])
		}
	}
	for i := range seats {
		if !seats[i].pilot {
			probing.Go(func() { probe(i) })
		}
	}
	members[0].room.share(probing, len(pilots), s, func(i int) { probe(pilots[i]) })
}
