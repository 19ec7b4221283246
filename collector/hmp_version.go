package collector

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/go-kit/log/level"

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
	return &Version{v, newLabels("build", v.Build, "version", v.Version)}
}

// A versionState is the version of one HMP and the time of the next request. It survives
// reloads. A request follows a probe that confirmed a session, if it is due. There is one
// request at a time.
type versionState struct {
	mu          sync.Mutex
	last        *Version // nil before the first answer
	confirmedAt time.Time

	requested time.Time     // when the last request began
	next      time.Time     // when to ask again
	done      chan struct{} // closed when the request under way ends; nil without one
	failures  int           // in a row
}

// known returns the version, nil if it is not known. v may be nil.
func (v *versionState) known() *Version {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last != nil && time.Since(v.confirmedAt) >= versionLifetime {
		v.last = nil
	}
	return v.last
}

// beginRequest reports whether to send a request now, and marks it as under way. validAgain is
// true if a session is valid again: the HMP may have been restarted with another version. v may
// be nil.
func (v *versionState) beginRequest(validAgain bool) bool {
	if v == nil {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	if v.done != nil || now.Before(v.next) && !(validAgain && now.Sub(v.requested) >= versionRetryInterval) {
		return false
	}
	v.requested, v.done = now, make(chan struct{})
	return true
}

// endRequest ends a request. ok is false if the HMP did not report its version. It returns
// whether that is the first failure in a row.
func (v *versionState) endRequest(answer hmp.Version, ok bool) (firstFailure bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	close(v.done)
	v.done = nil
	if !ok {
		v.next = now.Add(min(versionRetryInterval<<min(v.failures, 10), versionInterval))
		v.failures++
		return v.failures == 1
	}
	if v.last == nil || v.last.Version != answer {
		v.last = NewVersion(answer)
	}
	v.confirmedAt, v.failures = now, 0
	v.next = now.Add(versionInterval + rand.N(versionJitter)) //nolint:gosec // not for security
	return false
}

// requestVersion requests the version of the HMP. It recovers from a panic: the version is
// then unknown.
func (p *sharedProbe) requestVersion() {
	var version hmp.Version
	answer := hmp.Answer{Reason: "a panic"}
	target, logger := p.session.target, p.collector.options.Logger
	defer func() {
		value := recover()
		firstFailure := target.version.endRequest(version, answer.Result == hmp.Valid)
		switch {
		case !firstFailure:
		case value != nil:
			logging.Panic(logger, value, "target", target.Name)
		default:
			_ = level.Debug(logger).Log("msg", "the HMP does not report its version", "target", target.Name,
				"result", string(answer.Result), "status", answer.StatusCode, "reason", answer.Reason)
		}
	}()
	ctx, cancel := context.WithDeadline(p.collector.ctx, p.deadline())
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	request := func(token secret.Value) (hmp.Version, hmp.Answer) {
		return target.client.Version(ctx, hmp.SessionRequest{
			Token: token, Secrets: append(p.secrets.ofLogin(), p.sent, p.next), Header: p.secrets.header,
		})
	}
	token := p.next
	if !p.session.KeyMode() { // the tokens in answers to a fixed token are ignored
		token = p.sent
	}
	version, answer = request(token)
	if answer.Result == hmp.Unauthorized && !token.Equal(p.sent) { // some HMPs reject the tokens in their answers
		version, answer = request(p.sent)
	}
}

// WaitForVersions waits until no version request is under way, or until ctx ends.
func (c *Collector) WaitForVersions(ctx context.Context) {
	for _, t := range c.snapshot.Load().byName {
		if t.version == nil {
			return
		}
		t.version.mu.Lock()
		done := t.version.done
		t.version.mu.Unlock()
		if done != nil {
			select {
			case <-done:
			case <-ctx.Done():
			}
		}
	}
}

// versionOf returns the version state of a target. It belongs to the name, the URL and the
// address of the target.
func (c *Collector) versionOf(t, old *target) *versionState {
	switch {
	case !c.options.Version:
		return nil
	case old != nil && canonicalURL(old.URL) == canonicalURL(t.URL) && old.Address == t.Address:
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
