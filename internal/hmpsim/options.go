package hmpsim

import (
	"strings"
	"time"
)

// An Option changes how a [Server] is made.
type Option func(*Server)

// WithClock makes now the server's clock, in place of [time.Now].
func WithClock(now func() time.Time) Option {
	return func(s *Server) { s.now = now }
}

// WithPathPrefix serves the calls below a prefix such as "/hmp", as a reverse
// proxy does.
func WithPathPrefix(prefix string) Option {
	return func(s *Server) { s.path = strings.TrimSuffix(prefix, "/") + Endpoint }
}

// prefix is what [WithPathPrefix] was given.
func (s *Server) prefix() string { return strings.TrimSuffix(s.path, Endpoint) }

// WithLifetime sets how long a token lives that the server handed out; 30
// minutes, as the vendor says, without it. Tokens of [Server.SetToken] do not
// age.
func WithLifetime(d time.Duration) Option {
	return func(s *Server) { s.lifetime = d }
}

// WithSliding says whether the use of a token starts its lifetime anew. It does
// not without this option; the vendor does not say.
func WithSliding(on bool) Option {
	return func(s *Server) { s.sliding = on }
}

// WithUnauthenticated sets the answer to a GET whose Bearer is missing, unknown
// or expired: [Unauthorized] without this option, [UnknownSession] being the
// other one a real HMP may give.
func WithUnauthenticated(b Behaviour) Option {
	return func(s *Server) { s.unauthenticated.behaviour = b }
}

// Rotation says how a GET hands out another authToken than the one it came
// with. The new token lives for the server's lifetime.
type Rotation struct {
	// Every is the least time between two rotations of one token; 0 rotates
	// at each GET.
	Every time.Duration
	// KeepOld lets the old token work on. Without it, it is dead as soon as
	// the new one is handed out.
	KeepOld bool
}

// WithRotation turns rotation on.
func WithRotation(rotation Rotation) Option {
	return func(s *Server) { s.rotation = &rotation }
}
