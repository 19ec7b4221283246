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
}

// Probe probes the sessions that r names, all at once as far as there is room, and
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
	probe := func(m *member, result *Result) {
		*result = c.probe(ctx, m, start, allowance(m.target.Timeout, r.ScrapeTimeout, c.offset))
	}
	if sessions == 1 {
		probe(targets[0][0], &results[0])
		return results, nil
	}
	var probing sync.WaitGroup
	rest := results
	for _, members := range targets {
		own := rest[:len(members)]
		rest = rest[len(members):]
		share(&probing, members[0].room.places, len(members), func(i int) { probe(members[i], &own[i]) })
	}
	probing.Wait()
	return results, nil
}

const (
	// firstWorkers is how many make the probes of a target at first.
	firstWorkers = 8
	// doubling is how long it takes for there to be twice as many.
	doubling = 50 * time.Millisecond
)

// share has do called with every index below n, by at most so many goroutines at once.
// There are few at first: an HMP that answers fast does not need more, and then sees
// few connections; one that is slow has many within a moment, but not in an instant.
func share(group *sync.WaitGroup, most, n int, do func(i int)) {
	most = min(most, n)
	var taken atomic.Int64
	none := make(chan struct{}) // closed when no index is left
	work := func() {
		for i := taken.Add(1); i <= int64(n); i = taken.Add(1) {
			if i == int64(n) {
				close(none)
			}
			do(int(i - 1))
		}
	}
	workers := min(firstWorkers, most)
	for range workers {
		group.Go(work)
	}
	if workers == most {
		return
	}
	group.Go(func() {
		more := time.NewTicker(doubling)
		defer more.Stop()
		for workers < most {
			select {
			case <-more.C:
			case <-none:
				return
			}
			for range min(workers, most-workers) {
				group.Go(work)
				workers++
			}
		}
	})
}

// Last returns the last result of every session, without probing. One that has
// not been probed yet has only its names.
func (c *Collector) Last() []Result {
	var results []Result
	for _, members := range c.fleet.Load().targets {
		for _, m := range members {
			last := m.state.lastResult()
			last.Target, last.Session = m.target.Name, m.session.Name
			results = append(results, last)
		}
	}
	return results
}
