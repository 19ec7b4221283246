package hmpsim

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"
)

// A Behaviour answers one request. It is used by many requests at once, so one
// that keeps state has to guard it. It must return soon after the request's
// context is done.
type Behaviour interface {
	Serve(w http.ResponseWriter, r *http.Request, c Call)
}

// BehaviourFunc makes a function a [Behaviour].
type BehaviourFunc func(w http.ResponseWriter, r *http.Request, c Call)

// Serve calls f.
func (f BehaviourFunc) Serve(w http.ResponseWriter, r *http.Request, c Call) { f(w, r, c) }

// A Call is what a [Behaviour] knows of its request beyond HTTP.
type Call struct {
	// Now is the server's time when the request came.
	Now time.Time
	// Start is when the behaviour came into force: when its token, key or
	// outage was set. Timelines count from here.
	Start time.Time
	// Token is the Bearer that came with a GET, empty for a POST.
	Token string
	// Issued is when the token was made or set, for a GET with one that is known.
	Issued time.Time

	handOut func() string
}

// HandOut returns the authToken for the answer and is what makes or rotates
// one. Only an answer that shows a token calls it, so a login that ends in an
// error leaves no session behind, and a rotation is never lost on a 503.
func (c Call) HandOut() string {
	if c.handOut == nil {
		return c.Token
	}
	return c.handOut()
}

// age is how long the behaviour has been in force. A clock that was set back
// counts as no time at all.
func (c Call) age() time.Duration {
	return max(0, c.Now.Sub(c.Start))
}

// PerMethod answers a GET and a POST differently: a login that is accepted with
// a token that is then refused, say.
func PerMethod(get, post Behaviour) Behaviour {
	return BehaviourFunc(func(w http.ResponseWriter, r *http.Request, c Call) {
		if r.Method == http.MethodPost {
			post.Serve(w, r, c)
			return
		}
		get.Serve(w, r, c)
	})
}

// RetryAfter serves b with the header Retry-After, d rounded up to whole seconds:
// a server or a proxy that asks its client to stay away for a while.
func RetryAfter(d time.Duration, b Behaviour) Behaviour {
	seconds := strconv.FormatFloat(math.Ceil(d.Seconds()), 'f', 0, 64)
	return BehaviourFunc(func(w http.ResponseWriter, r *http.Request, c Call) {
		w.Header().Set("Retry-After", seconds)
		b.Serve(w, r, c)
	})
}

// wait returns true after d, or false as soon as ctx is done.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
