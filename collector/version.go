package collector

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/go-kit/log/level"
	dto "github.com/prometheus/client_model/go"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/logging"
	"hmp_exporter/internal/secret"
)

const (
	// versionInterval is the time between two version requests to an HMP. A random part
	// of versionJitter is added, so that requests to many HMPs spread.
	versionInterval, versionJitter = 15 * time.Minute, 3 * time.Minute
	// versionRetryInterval is the wait after a failed request. It doubles with each failure
	// in a row, up to versionInterval.
	versionRetryInterval = time.Minute
	// versionLifetime is how long a version is used without a new answer.
	versionLifetime = time.Hour
	// versionTimeout bounds a request.
	versionTimeout = 2 * time.Second
)

// A Version is the version of an HMP with its labels. It does not change.
type Version struct {
	hmp.Version
	labels labels
}

// NewVersion returns a version.
func NewVersion(v hmp.Version) *Version {
	n := &Version{v, newLabels("build", v.Build)}
	n.labels.last = &dto.LabelPair{Name: &versionLabel, Value: &n.Version.Version}
	n.labels.lastText = `,version="` + escaped.Replace(v.Version) + `"} `
	return n
}

var versionLabel = "version"

// A versionState is the version of one HMP and the time of the next request. It survives
// reloads. A request follows a probe that confirmed a session, if it is due. There is one
// request at a time.
type versionState struct {
	mu        sync.Mutex
	last      *Version // nil before the first answer
	confirmed time.Time

	inFlight         bool
	requestedAt      time.Time // when the last request began
	next             time.Time // when to ask again
	nextAfterRestart time.Time // the same if the HMP may have been restarted
	urgent           bool      // next was set to nextAfterRestart
	failures         int       // in a row
}

// known returns the version, nil if it is not known. v may be nil.
func (v *versionState) known() *Version {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last != nil && time.Since(v.confirmed) >= versionLifetime {
		v.last = nil
	}
	return v.last
}

// tryBegin reports whether to send a request now, and marks it as under way. silent is when
// the HMP last did not answer the session that it has now confirmed, see [state.finish].
func (v *versionState) tryBegin(now, silent time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if silent.After(v.requestedAt) && v.next.After(v.nextAfterRestart) {
		v.next, v.urgent = v.nextAfterRestart, true
	}
	if v.inFlight || now.Before(v.next) {
		return false
	}
	v.inFlight = true
	return true
}

func (v *versionState) requested(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.requestedAt = now
}

// abort ends a request that the exporter did not send or finish. It stays due.
func (v *versionState) abort() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.inFlight = false
}

// succeed ends a request that the HMP answered.
func (v *versionState) succeed(now time.Time, answer hmp.Version) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last == nil || v.last.Version != answer {
		v.last = NewVersion(answer)
	}
	v.confirmed = now
	v.next = now.Add(versionInterval + rand.N(versionJitter)) //nolint:gosec // not for security
	v.nextAfterRestart = time.Time{}
	if v.urgent { // a session that fails and recovers often must not cause a request each time
		v.nextAfterRestart = now.Add(versionRetryInterval)
	}
	v.inFlight, v.urgent, v.failures = false, false, 0
}

// fail ends a request that failed. It returns whether it is the first failure in a row.
func (v *versionState) fail(now time.Time) (first bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.nextAfterRestart = now.Add(versionRetryInterval)
	v.next = now.Add(min(versionRetryInterval<<min(v.failures, 10), versionInterval))
	v.inFlight, v.urgent = false, false
	v.failures++
	return v.failures == 1
}

// requestVersion requests the version of the probe's HMP, if that is due. For silent see
// [versionState.tryBegin].
func (p *sharedProbe) requestVersion(silent time.Time) {
	v := p.session.target.version
	if v == nil || p.brief || !p.result.Valid() || !v.tryBegin(p.result.Start.Add(p.result.Duration), silent) {
		return
	}
	r := &versionRequest{
		collector: p.collector,
		target:    p.session.target,
		request: hmp.Request{
			Token: p.confirmed.token, Secrets: append(p.secrets.ofLogin(), p.confirmed.sent), Header: p.secrets.header,
		},
	}
	r.ctx, r.cancelFunc = context.WithDeadline(context.Background(), p.deadline())
	p.collector.limiter.runInBackground(r)
}

// A versionRequest is a version request that is under way or waits for a slot.
type versionRequest struct {
	collector  *Collector
	target     *target
	request    hmp.Request
	ctx        context.Context
	cancelFunc context.CancelFunc
}

// startBy implements backgroundTask.
func (r *versionRequest) startBy() time.Time {
	deadline, _ := r.ctx.Deadline()
	return deadline
}

// cancel implements backgroundTask.
func (r *versionRequest) cancel() { r.cancelFunc() }

// refused implements backgroundTask.
func (r *versionRequest) refused() {
	r.cancelFunc()
	r.target.version.abort()
}

// run implements backgroundTask. It recovers from a panic: the version is then unknown.
func (r *versionRequest) run() {
	defer r.cancelFunc()
	v, logger := r.target.version, r.collector.options.Logger
	defer func() {
		if what := recover(); what != nil && v.fail(time.Now()) {
			logging.Panic(logger, what, "target", r.target.Name)
		}
	}()
	v.requested(time.Now())
	ctx, cancel := context.WithTimeout(r.ctx, versionTimeout)
	defer cancel()
	version, answer := r.target.client.Version(ctx, r.request)
	switch {
	case answer.Result == hmp.Valid:
		v.succeed(time.Now(), version)
	case r.ctx.Err() == context.Canceled:
		v.abort()
	case v.fail(time.Now()):
		_ = level.Debug(logger).Log("msg", "the HMP does not report its version", "target", r.target.Name,
			"result", string(answer.Result), "status", answer.StatusCode, "reason", answer.Reason)
	}
}

// versionOf returns the version state of a target. It belongs to the name and the URL of
// the target.
func (c *Collector) versionOf(t, old *target) *versionState {
	switch {
	case !c.options.Version:
		return nil
	case old != nil && canonicalURL(old.URL) == canonicalURL(t.URL):
		return old.version
	default:
		return new(versionState)
	}
}

// Version returns the version of a target's HMP, nil if it is not known.
func (c *Collector) Version(target string) *Version {
	if t := c.snapshot.Load().byName[target]; t != nil {
		return t.version.known()
	}
	return nil
}

// VersionsDone returns a channel that is closed when no version request is left.
func (c *Collector) VersionsDone() <-chan struct{} { return c.limiter.backgroundIdle() }

// addVersions sets the known versions in results of sessions.
func addVersions(results []Result, sessions []*session) {
	var of *target
	var v *Version
	for i, s := range sessions {
		if s.target != of {
			of, v = s.target, s.target.version.known()
		}
		results[i].Version = v
	}
}

// confirmedTokens are the tokens of a session that HMP has confirmed.
type confirmedTokens struct {
	sent  secret.Value
	token secret.Value // for the version request: the token that was sent, or the new one in the answer
}
