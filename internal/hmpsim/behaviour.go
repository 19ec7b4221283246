package hmpsim

import (
	"context"
	"net/http"
	"time"
)

// A Behaviour answers one request. Many requests use it at once. It must return soon after
// the request's context is done.
type Behaviour func(w http.ResponseWriter, r *http.Request, c Call)

// A Call is what a [Behaviour] knows of its request beyond HTTP.
type Call struct {
	// Now is the server's time when the request came.
	Now time.Time
	// Start is when the behaviour came into force: when its token, key, version or outage
	// was set.
	Start time.Time
	// Token is the Bearer token of a GET. It is empty for a POST.
	Token string
	// Issued is when a known token was issued or set.
	Issued time.Time

	issueToken func() string // nil if the answer has no new token
}

// authToken returns the authToken for the answer. It makes the token of a login or a rotation.
// So only an answer with a token may call it.
func (c Call) authToken() string {
	if c.issueToken == nil {
		return c.Token
	}
	return c.issueToken()
}

// Age is how long the behaviour has been in force. It is 0 after the clock was set back.
func (c Call) Age() time.Duration { return max(0, c.Now.Sub(c.Start)) }

// PerMethod answers a GET and a POST differently.
func PerMethod(get, post Behaviour) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c Call) {
		if r.Method == http.MethodPost {
			post(w, r, c)
			return
		}
		get(w, r, c)
	}
}

// Delay answers as b after d. If the client goes before that, it does not answer.
func Delay(d time.Duration, b Behaviour) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c Call) {
		if !wait(r.Context(), d) {
			abort()
		}
		b(w, r, c)
	}
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

// A Step is a part of a [Timeline].
type Step struct {
	For time.Duration // how long the step lasts
	Do  Behaviour
}

// Timeline answers as one step after the other, by the server's clock. After the last step it
// begins again.
func Timeline(steps ...Step) Behaviour {
	var total time.Duration
	for _, s := range steps {
		total += s.For
	}
	return func(w http.ResponseWriter, r *http.Request, c Call) {
		into := c.Age() % total // time since the present step began
		for _, s := range steps {
			if into < s.For {
				s.Do(w, r, c)
				return
			}
			into -= s.For
		}
	}
}
