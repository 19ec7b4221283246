package probe

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/collector"
	"hmp_exporter/config"
)

// Options say how to probe.
type Options struct {
	Config *config.Config
	// Timeout bounds the whole; 0 leaves it to the timeouts of the targets, which it
	// cannot lengthen.
	Timeout time.Duration
	// MaxConcurrent bounds how many probes there are at once.
	MaxConcurrent int
	// Version has HMPs asked for their version.
	Version bool
	// UserAgent is what HMPs are told about this program.
	UserAgent string
	// Logger is told of what the report does not say.
	Logger log.Logger
}

// A Report is what became of all sessions that were to be probed. It holds no secret.
type Report struct {
	Attempts []Attempt // in the order of the configuration
	Start    time.Time
	Duration time.Duration
	Stopped  Stop // why sessions are left that were not probed

	index    map[[2]string]int // by target and session
	answered int
}

// An Attempt is one session and its result, nil as long as there is none.
type Attempt struct {
	Target, Session string
	Result          *collector.Result
}

// Name is how people are told about the session.
func (a *Attempt) Name() string { return a.Target + "/" + a.Session }

// Valid tells whether the HMP confirmed the session.
func (a *Attempt) Valid() bool { return a.Result != nil && a.Result.Valid() }

// A Stop is why probing ended before all was probed.
type Stop string

// The reasons.
const (
	Interrupted Stop = "interrupted" // by a signal
	Stuck       Stop = "stuck"       // a probe did not end in its time: a disk may hang
)

const (
	// patience is how long after its time a probe may end.
	patience = 2 * time.Second
	// tick is how often a watcher is told of the time.
	tick = 100 * time.Millisecond
)

// Each makes one request for each of some sessions, all at once, and returns their
// results. It ends when ctx is done or a probe is stuck, without those that are left.
func (o *Options) Each(ctx context.Context, sessions []config.Selected) *Report {
	requests := make([]collector.Request, len(sessions))
	for i, s := range sessions {
		requests[i] = collector.Request{Target: s.Target.Name, Session: s.Session.Name}
	}
	return o.run(ctx, sessions, requests, nil)
}

// run makes requests, which have to be for just these sessions, and tells watch, unless
// it is nil, how they come along.
func (o *Options) run(
	ctx context.Context, sessions []config.Selected, requests []collector.Request, watch func(*Report),
) *Report {
	r := newReport(sessions)
	c := collector.New(collector.Options{MaxConcurrent: o.MaxConcurrent, Version: o.Version, UserAgent: o.UserAgent, Logger: o.Logger})
	c.Apply(o.Config)
	results := make(chan collector.Result, len(sessions)) // so that nobody has to wait for who has gone
	for _, request := range requests {
		request.Done = func(result collector.Result) { results <- result }
		if o.Timeout > 0 {
			request.ScrapeTimeout = strconv.FormatFloat(o.Timeout.Seconds(), 'f', -1, 64)
		}
		go func() { _, _ = c.Probe(request) }() // the names are the configuration's own
	}
	r.gather(ctx, results, o.longest(sessions), watch)
	if r.Stopped == "" {
		select {
		case <-c.VersionsAsked():
		case <-ctx.Done():
		}
		r.takeVersions(c)
		c.Close()
	}
	r.Duration = time.Since(r.Start)
	return r
}

func newReport(sessions []config.Selected) *Report {
	r := &Report{Start: time.Now(), Attempts: make([]Attempt, len(sessions)), index: make(map[[2]string]int)}
	for i, s := range sessions {
		r.Attempts[i] = Attempt{Target: s.Target.Name, Session: s.Session.Name}
		r.index[[2]string{s.Target.Name, s.Session.Name}] = i
	}
	return r
}

// longest is how long the probes of sessions can take.
func (o *Options) longest(sessions []config.Selected) time.Duration {
	longest := slices.MaxFunc(sessions, func(a, b config.Selected) int {
		return cmp.Compare(a.Target.Timeout, b.Target.Timeout)
	}).Target.Timeout
	if o.Timeout > 0 {
		return min(longest, o.Timeout)
	}
	return longest
}

// gather takes in results until all are there.
func (r *Report) gather(ctx context.Context, results <-chan collector.Result, longest time.Duration, watch func(*Report)) {
	stuck := time.NewTimer(longest + patience)
	defer stuck.Stop()
	var ticks <-chan time.Time
	if watch != nil {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for r.answered < len(r.Attempts) {
		select {
		case result := <-results:
			r.take(result)
		case <-ticks:
			r.Duration = time.Since(r.Start)
			watch(r)
		case <-ctx.Done():
			r.Stopped = Interrupted
			return
		case <-stuck.C:
			r.Stopped = Stuck
			return
		}
	}
}

// take takes a result in. It leaves out when a daemon would log in again: the next run remembers nothing of this one.
func (r *Report) take(result collector.Result) {
	if result.Logins != nil && result.Logins.Suspended {
		result.Reason, _, _ = strings.Cut(result.Reason, "the exporter tries this secret ")
		result.Reason = strings.TrimSuffix(result.Reason, "; ")
	}
	r.Attempts[r.index[[2]string{result.Target, result.Session}]].Result = &result
	r.answered++
}

// takeVersions takes in what HMPs have told after the results.
func (r *Report) takeVersions(c *collector.Collector) {
	for i := range r.Attempts {
		r.Attempts[i].Result.Version = c.Version(r.Attempts[i].Target)
	}
}

// valid counts the sessions that an HMP confirmed.
func (r *Report) valid() (n int) {
	for i := range r.Attempts {
		if r.Attempts[i].Valid() {
			n++
		}
	}
	return n
}
