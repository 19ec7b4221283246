package hmpsim

import "net/http"

// Stats is what a [Server] has counted since it was made.
type Stats struct {
	GETs, POSTs   int // session calls, whatever the answer was
	UnknownGETs   int // GETs whose token was missing, unknown or expired
	RejectedPOSTs int // logins refused for their body, key or secret
	Logins        int // POSTs that made a token
	Versions      int // version calls
	Others        int // requests for other paths or with other methods
	// LastHeader is the header of the last request.
	LastHeader http.Header
	// Accounts has the calls of each account, by the token given to SetToken or the key
	// given to AddKey. A token from a login belongs to the account of its key.
	Accounts map[string]AccountStats
}

// AccountStats is what a [Server] has counted for one account.
type AccountStats struct {
	GETs, POSTs             int
	InFlight, MaxConcurrent int // calls that are being answered: now, and the most ever
}

// Stats returns a copy of the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Accounts = make(map[string]AccountStats, len(s.accounts))
	for name, a := range s.accounts {
		stats.Accounts[name] = a.stats
	}
	return stats
}

// begin counts a call that starts.
func (a *account) begin(method string) {
	if method == http.MethodPost {
		a.stats.POSTs++
	} else {
		a.stats.GETs++
	}
	a.stats.InFlight++
	a.stats.MaxConcurrent = max(a.stats.MaxConcurrent, a.stats.InFlight)
}
