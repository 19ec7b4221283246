package hmpsim

import "net/http"

// Stats is what a [Server] has counted since it was made.
type Stats struct {
	// GETs and POSTs are the session calls, whatever the answer was.
	GETs, POSTs int
	// UnknownGETs are those whose Bearer was missing, unknown or expired.
	UnknownGETs int
	// RejectedPOSTs are logins refused for their body, key or secret. A real
	// HMP may lock the account after a few.
	RejectedPOSTs int
	// Logins are POSTs that made a token, each a session left behind.
	Logins int
	// Versions are version calls.
	Versions int
	// Others are requests for other paths or with other methods.
	Others int
	// LastHeader is the header of the last session call.
	LastHeader http.Header
	// Accounts has the calls of each account, by the token given to
	// SetToken or the key given to AddKey. Calls with a token that was
	// handed out count for the account that it was made for.
	Accounts map[string]AccountStats
}

// AccountStats is what a [Server] has counted for one account.
type AccountStats struct {
	GETs, POSTs int
	// InFlight is the number of calls being answered now, and MaxConcurrent
	// the most that ever were at once.
	InFlight, MaxConcurrent int
	// LastHeader is the header of the last call.
	LastHeader http.Header
}

// Stats returns a copy of the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.LastHeader = stats.LastHeader.Clone()
	stats.Accounts = make(map[string]AccountStats, len(s.accounts))
	for name, a := range s.accounts {
		copied := a.stats
		copied.LastHeader = copied.LastHeader.Clone()
		stats.Accounts[name] = copied
	}
	return stats
}

// An account is what tokens and keys belong to: one behaviour and its counters.
type account struct {
	script
	stats AccountStats
}

// account returns the named account, made where it is missing; s.mu is held.
func (s *Server) account(name string) *account {
	a, ok := s.accounts[name]
	if !ok {
		a = &account{}
		s.accounts[name] = a
	}
	return a
}

// begin counts a call that starts, for nobody if a is nil; s.mu is held.
func (a *account) begin(r *http.Request) {
	if a == nil {
		return
	}
	if r.Method == http.MethodPost {
		a.stats.POSTs++
	} else {
		a.stats.GETs++
	}
	a.stats.InFlight++
	a.stats.MaxConcurrent = max(a.stats.MaxConcurrent, a.stats.InFlight)
	a.stats.LastHeader = r.Header.Clone()
}

// end counts a call that has been answered; s.mu is held.
func (a *account) end() {
	if a != nil {
		a.stats.InFlight--
	}
}
