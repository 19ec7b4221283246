package collector

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/go-kit/log/level"
	dto "github.com/prometheus/client_model/go"

	"hmp_exporter/internal/crash"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

const (
	// versionInterval is how long a version is not asked for again, and versionSpread how
	// much longer that is by chance: so the questions to many HMPs spread.
	versionInterval, versionJitter = 15 * time.Minute, 3 * time.Minute
	// versionPause is how long an HMP is left alone after a question that failed. It doubles
	// with each failure in a row, up to versionInterval.
	versionRetryInterval = time.Minute
	// versionLife is how long a version is known that is not confirmed.
	versionLifetime = time.Hour
	// versionTimeout bounds a question.
	versionTimeout = 2 * time.Second
)

// A Version is what an HMP said of its software. It does not change.
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

// A versionState is what is known of the version of one HMP, from one configuration to the
// next. It decides when to ask: after a probe that confirmed a session, if the version is
// due, and one question at a time.
type versionState struct {
	mu        sync.Mutex
	last      *Version // nil before the first answer
	confirmed time.Time

	inFlight         bool
	requestedAt      time.Time // when the last question began
	next             time.Time // when to ask again
	nextAfterRestart time.Time // when to ask again if the HMP may have been restarted
	urgent           bool      // next was brought forward to earliest
	failures         int       // in a row
}

// known returns the version, nil if it is not known.
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

// begin tells whether to ask now. The HMP has confirmed a session; silent is when it last did
// not answer a probe of that session, if it has not confirmed the session since then.
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

// giveUp ends a question without an answer, for a reason of this side. It stays due.
func (v *versionState) abort() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.inFlight = false
}

// succeed ends a question that was answered.
func (v *versionState) succeed(now time.Time, answer hmp.Version) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last == nil || v.last.Version != answer {
		v.last = NewVersion(answer)
	}
	v.confirmed = now
	v.next = now.Add(versionInterval + rand.N(versionJitter)) //nolint:gosec // it guards nothing
	v.nextAfterRestart = time.Time{}
	if v.urgent { // a session that comes and goes is not worth a question each time
		v.nextAfterRestart = now.Add(versionRetryInterval)
	}
	v.inFlight, v.urgent, v.failures = false, false, 0
}

// fail ends a question that failed. It tells whether it is the first in a row that did.
func (v *versionState) fail(now time.Time) (first bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.nextAfterRestart = now.Add(versionRetryInterval)
	v.next = now.Add(min(versionRetryInterval<<min(v.failures, 10), versionInterval))
	v.inFlight, v.urgent = false, false
	v.failures++
	return v.failures == 1
}

// askVersion asks the HMP of a probe that has ended for its version, if that is due. For
// silent see [versionState.begin].
func (p *sharedProbe) requestVersion(silent time.Time) {
	v := p.session.target.version
	if v == nil || p.brief || !p.result.Valid() || !v.tryBegin(p.result.Start.Add(p.result.Duration), silent) {
		return
	}
	q := &versionRequest{
		collector: p.collector,
		target:    p.session.target,
		request: hmp.Request{
			Token: p.confirmed.token, Secrets: append(p.secrets.ofLogin(), p.confirmed.sent), Header: p.secrets.header,
		},
	}
	q.ctx, q.cancelFunc = context.WithDeadline(context.Background(), p.deadline())
	p.collector.limiter.runInBackground(q)
}

// A versionQuestion is one that is under way or waits for a place.
type versionRequest struct {
	collector  *Collector
	target     *target
	request    hmp.Request
	ctx        context.Context
	cancelFunc context.CancelFunc
}

// latest implements backgroundTask.
func (q *versionRequest) startBy() time.Time {
	deadline, _ := q.ctx.Deadline()
	return deadline
}

// cancel implements backgroundTask.
func (q *versionRequest) cancel() { q.cancelFunc() }

// refused implements backgroundTask.
func (q *versionRequest) refused() {
	q.cancelFunc()
	q.target.version.abort()
}

// run implements backgroundTask. A panic costs the version and nothing else.
func (q *versionRequest) run() {
	defer q.cancelFunc()
	v, logger := q.target.version, q.collector.options.Logger
	defer func() {
		if what := recover(); what != nil && v.fail(time.Now()) {
			crash.Log(logger, what, "target", q.target.Name)
		}
	}()
	v.requested(time.Now())
	ctx, cancel := context.WithTimeout(q.ctx, versionTimeout)
	defer cancel()
	version, answer := q.target.client.Version(ctx, q.request)
	switch {
	case answer.Result == hmp.Valid:
		v.succeed(time.Now(), version)
	case q.ctx.Err() == context.Canceled:
		v.abort()
	case v.fail(time.Now()):
		_ = level.Debug(logger).Log("msg", "the HMP does not tell its version", "target", q.target.Name,
			"result", string(answer.Result), "status", answer.StatusCode, "reason", answer.Reason)
	}
}

// versionOf returns the state of the version of a target that is configured now. It belongs
// to the name and the URL of the target.
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

// VersionsAsked returns a channel that is closed when no question for a version is left.
func (c *Collector) VersionsDone() <-chan struct{} { return c.limiter.backgroundIdle() }

// addVersions puts the versions that are known into results of sessions.
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

// confirmed are the tokens of a session that HMP has confirmed.
type confirmedTokens struct {
	sent  secret.Value
	token secret.Value // to ask with: the one that was sent, or the one that HMP gave for it
}
