package report

import (
	"context"
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

// A Report has the results of all sessions that were to be probed. It holds no secret.
type Report struct {
	Attempts    []Attempt // in the order of the configuration
	Start       time.Time
	Duration    time.Duration
	Interrupted bool // by a signal: some sessions may have no result
}

// An Attempt is one session and its result, nil without one.
type Attempt struct {
	Target, Session string
	Result          *collector.Result
}

// Name is how people are told about the session.
func (a *Attempt) Name() string { return a.Target + "/" + a.Session }

// Valid tells whether the HMP confirmed the session.
func (a *Attempt) Valid() bool { return a.Result != nil && a.Result.Valid() }

// tick is how often a watcher is told of the progress.
const tick = 100 * time.Millisecond

// run probes the sessions that a request names. It tells watch how many have a result, ten
// times a second. When ctx is done, the report has the results so far.
func (o *Options) run(ctx context.Context, request collector.Request, watch func(answered int)) *Report {
	if o.Timeout > 0 {
		request.ScrapeTimeout = strconv.FormatFloat(o.Timeout.Seconds(), 'f', -1, 64)
	}
	c := collector.New(collector.Options{MaxConcurrent: o.MaxConcurrent, Version: o.Version, UserAgent: o.UserAgent, Logger: o.Logger})
	c.Apply(o.Config)
	r := &Report{Start: time.Now()}
	done := make(chan []collector.Result, 1)
	go func() {
		results, _ := c.Probe(request) // the configuration has these names
		done <- results
	}()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for r.Attempts == nil {
		select {
		case results := <-done:
			c.WaitForVersions(ctx)
			r.Duration = time.Since(r.Start)
			for i := range results {
				results[i].Version = c.Version(results[i].Target)
			}
			r.Attempts = attempts(results)
			c.Close()
		case <-ticker.C:
			watch(answered(c))
		case <-ctx.Done():
			r.Duration, r.Interrupted = time.Since(r.Start), true
			r.Attempts = attempts(chosen(c.Last(), request))
		}
	}
	r.promiseNothing()
	return r
}

// promiseNothing leaves out when a daemon would log in again: the next run remembers nothing of this one.
func (r *Report) promiseNothing() {
	for i := range r.Attempts {
		if result := r.Attempts[i].Result; result != nil && result.Logins != nil && result.Logins.Suspended {
			reason, _, _ := strings.Cut(result.Reason, "the exporter tries this secret ")
			result.Reason = strings.TrimSuffix(reason, "; ")
		}
	}
}

// answered counts the sessions that have a result.
func answered(c *collector.Collector) (n int) {
	for _, s := range c.Summaries() {
		if s.ResultName != "" {
			n++
		}
	}
	return n
}

// chosen returns the results of the sessions that a request names.
func chosen(all []collector.Result, request collector.Request) []collector.Result {
	var results []collector.Result
	for _, r := range all {
		if (request.Target == "" || request.Target == r.Target) && (request.Session == "" || request.Session == r.Session) {
			results = append(results, r)
		}
	}
	return results
}

// attempts returns results as attempts. A result that has only the names is none.
func attempts(results []collector.Result) []Attempt {
	list := make([]Attempt, len(results))
	for i := range results {
		r := &results[i]
		list[i] = Attempt{Target: r.Target, Session: r.Session}
		if r.ResultName() != "" {
			list[i].Result = r
		}
	}
	return list
}

// count counts the sessions that have a result, and those that an HMP confirmed.
func (r *Report) count() (probed, valid int) {
	for i := range r.Attempts {
		if r.Attempts[i].Result != nil {
			probed++
		}
		if r.Attempts[i].Valid() {
			valid++
		}
	}
	return probed, valid
}
