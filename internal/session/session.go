package session

import (
	"context"
	"time"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/secret"
)

// HMP is the far side. Its calls end by the deadline that ctx must have.
type HMP interface {
	// Session asks about the session of a token. The secret is another token
	// that came with the answer; zero if none did.
	Session(ctx context.Context, token secret.Value) (hmp.Answer, secret.Value)
	// Login opens a session. The secret is its token; zero unless the answer is valid.
	Login(ctx context.Context, key, secret secret.Value) (hmp.Answer, secret.Value)
}

// A Source probes one session with a token that it finds or gets. Many
// goroutines may use it at once.
type Source interface {
	// Probe asks an HMP whether the session is valid, until the deadline that
	// ctx must have.
	Probe(ctx context.Context, far HMP) Report
	// Status tells how the logins stand; ok is false if there are none.
	Status() (s Status, ok bool)
}

// A Report is what a probe came to. Like an [hmp.Answer] it holds no secret.
type Report struct {
	// Answer is the one that the probe ended with. Its phases are those of all
	// exchanges of the probe together, and it has all of these.
	hmp.Answer
	// Login is what a login ended in that was a part of the probe; "" without one.
	Login hmp.Result
	// Held is true if nothing was sent, because there is no token and logins are held
	// back. The answer then repeats what the login came to that is the reason.
	Held bool
}

// Unreadable is the report of a probe that sends nothing, because a secret for it
// cannot be read.
func Unreadable(err error) Report {
	return Report{Answer: hmp.Answer{Result: hmp.Credentials, Reason: err.Error()}}
}

// Status is how the logins of a session stand.
type Status struct {
	// TokenExpiry is when the token ends as far as is known; zero if there is none.
	TokenExpiry time.Time
	// Suspended is true while logins are held back after a rejection.
	Suspended bool
}

var (
	_ Source = Fixed{}
	_ Source = (*Login)(nil)
)

// Fixed is a token that others renew. It is read anew for every probe.
type Fixed struct{ Token config.SecretSource }

// Probe implements [Source].
func (f Fixed) Probe(ctx context.Context, far HMP) Report {
	token, err := f.Token.Read(ctx)
	if err != nil {
		return Unreadable(err)
	}
	answer, _ := far.Session(ctx, token)
	return Report{Answer: answer}
}

// Status implements [Source].
func (Fixed) Status() (Status, bool) { return Status{}, false }
