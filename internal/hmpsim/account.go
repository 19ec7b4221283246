package hmpsim

import (
	"crypto/rand"
	"maps"
	"time"
)

// An account is a fixed token or an API key: the behaviour that answers it, and its counters.
type account struct {
	activeBehaviour
	secret string // of an API key
	stats  AccountStats
}

// A token is a token that the server has issued or was given. It may have expired.
type token struct {
	account *account
	expires time.Time // zero if it never does
	issued  time.Time // when it was made, or replaced by a rotation
}

func (t *token) alive(now time.Time) bool { return t.expires.IsZero() || now.Before(t.expires) }

// SetToken adds a token that does not expire, or changes its behaviour.
func (s *Server) SetToken(bearer string, b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.setAccount(bearer, b)
	s.tokens[bearer] = &token{account: a, issued: a.start}
}

// AddKey adds an API key, or changes its secret and behaviour. The behaviour answers the
// logins and the GETs with their tokens; use [PerMethod] for different answers.
func (s *Server) AddKey(apiKey, secret string, b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setAccount(apiKey, b).secret = secret
}

// setAccount adds an account or changes its behaviour; s.mu is held.
func (s *Server) setAccount(name string, b Behaviour) *account {
	a, ok := s.accounts[name]
	if !ok {
		a = new(account)
		s.accounts[name] = a
	}
	a.activeBehaviour = activeBehaviour{b, s.now()}
	return a
}

// RegenerateKey gives a key another secret. Tokens made before live on.
func (s *Server) RegenerateKey(apiKey, newSecret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[apiKey].secret = newSecret
}

// RevokeTokens removes all tokens of a key, as a restart of the HMP does.
func (s *Server) RevokeTokens(apiKey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.tokens, func(_ string, t *token) bool { return t.account == s.accounts[apiKey] })
}

// RemoveToken removes a token, whether it was set or issued.
func (s *Server) RemoveToken(bearer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, bearer)
}

// login makes a token for an account.
func (s *Server) login(a *account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Logins++
	return s.issue(a)
}

// rotate returns the token for the answer to a GET that came with old.
func (s *Server) rotate(old string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[old]
	// If a concurrent GET has rotated old away, this one learns nothing new.
	if s.Rotation == nil || !ok || s.now().Sub(t.issued) < s.Rotation.Every {
		return old
	}
	t.issued = s.now()
	if !s.Rotation.KeepOld {
		delete(s.tokens, old)
	}
	return s.issue(t.account)
}

// issue makes a token for an account; s.mu is held. No two servers issue the same, so that
// tests notice a client that confuses two HMPs.
func (s *Server) issue(a *account) string {
	now := s.now()
	maps.DeleteFunc(s.tokens, func(_ string, t *token) bool { return !t.alive(now) })
	bearer := "hmpsim-" + rand.Text()
	s.tokens[bearer] = &token{account: a, expires: now.Add(s.lifetime()), issued: now}
	return bearer
}
