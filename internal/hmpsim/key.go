package hmpsim

import "time"

// A key is an API key of an account.
type key struct {
	secret   string
	disabled bool
	account  *account
}

// AddKey makes key and secret ones that can log in. The POST is answered by b
// as a GET would be, and so are the GETs with the token that it hands out:
// [Valid] gives the documented success, [NoRoles] a login refused for want of a
// role. Use [PerMethod] where the two shall differ. Adding a key again changes
// its secret and behaviour.
func (s *Server) AddKey(apiKey, secret string, b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(apiKey)
	a.script = script{behaviour: b, start: s.now()}
	s.keys[apiKey] = &key{secret: secret, account: a}
}

// RegenerateKey gives a key another secret and enables it. Tokens made before
// live on; [Server.RevokeTokens] ends them. An unknown key is ignored.
func (s *Server) RegenerateKey(apiKey, newSecret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.keys[apiKey]; ok {
		k.secret, k.disabled = newSecret, false
	}
}

// DisableKey makes a key's logins fail as if its secret were wrong, until it is
// regenerated or added again. Tokens made before live on.
func (s *Server) DisableKey(apiKey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.keys[apiKey]; ok {
		k.disabled = true
	}
}

// RevokeTokens makes all tokens that a key's logins made unknown, as after a
// restart of the HMP. The key itself still works.
func (s *Server) RevokeTokens(apiKey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keys[apiKey]
	if !ok {
		return
	}
	for bearer, t := range s.tokens {
		if t.account == k.account {
			delete(s.tokens, bearer)
		}
	}
}

// admitPOST checks a login's key and secret; s.mu is held.
func (s *Server) admitPOST(l login, now time.Time) ticket {
	s.stats.POSTs++
	k, ok := s.keys[l.key]
	var a *account
	if ok {
		a = k.account
	}
	refused := l.refusal
	if refused == nil && (!ok || k.disabled || k.secret != l.secret) {
		refused = InvalidCredentials()
	}
	switch {
	case s.outage.behaviour != nil:
		return ticket{script: s.outage, account: a}
	case refused != nil:
		s.stats.RejectedPOSTs++
		return ticket{script: script{behaviour: refused, start: now}, account: a}
	}
	return ticket{script: a.script, account: a, handOut: func() string { return s.login(a) }}
}

// login makes a token for an account.
func (s *Server) login(a *account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Logins++
	return s.issue(a, s.now())
}
