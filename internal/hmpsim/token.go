package hmpsim

import (
	"crypto/rand"
	"time"
)

// A token is one that works, or did until it expired.
type token struct {
	account *account
	expires time.Time // zero: never
	rotated time.Time // when it was made or last exchanged for another
}

func (t *token) alive(now time.Time) bool {
	return t.expires.IsZero() || now.Before(t.expires)
}

// SetToken makes token one that works, does not age and behaves as b. On a
// token that is set already it changes the behaviour and starts its time anew;
// the counters go on.
func (s *Server) SetToken(bearer string, b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	a := s.account(bearer)
	a.script = script{behaviour: b, start: now}
	s.tokens[bearer] = &token{account: a, rotated: now}
}

// RemoveToken makes a token unknown, whether it was set or handed out.
func (s *Server) RemoveToken(bearer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, bearer)
}

// rotate returns the token to show in the answer to a GET that came with old.
func (s *Server) rotate(old string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[old]
	now := s.now()
	// A concurrent GET may have rotated old away: this one learns nothing new.
	if s.rotation == nil || !ok || now.Sub(t.rotated) < s.rotation.Every {
		return old
	}
	t.rotated = now
	if !s.rotation.KeepOld {
		delete(s.tokens, old)
	}
	return s.issue(t.account, now)
}

// issue makes a token for an account; s.mu is held. It is random so that no two
// servers hand out the same: a client that mixes up two HMPs shall be found out.
func (s *Server) issue(a *account, now time.Time) string {
	s.sweep(now)
	bearer := "hmpsim-" + rand.Text()
	s.tokens[bearer] = &token{account: a, expires: now.Add(s.lifetime), rotated: now}
	return bearer
}

// sweep removes expired tokens once their number has doubled, so that a server
// that rotates for days stays small and pays for it evenly; s.mu is held.
func (s *Server) sweep(now time.Time) {
	if len(s.tokens) < s.sweepAt {
		return
	}
	for bearer, t := range s.tokens {
		if !t.alive(now) {
			delete(s.tokens, bearer)
		}
	}
	s.sweepAt = 2*len(s.tokens) + 64
}
