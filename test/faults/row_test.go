package faults

import (
	"fmt"
	"net/http"
	"time"

	"hmp_exporter/internal/hmp"
)

const (
	// rowTimeout is the timeout of a target whose probe ends early. It is generous, for a busy machine.
	rowTimeout = time.Minute
	// shortTimeout is the first timeout of a target whose probe lasts until the deadline.
	shortTimeout = 100 * time.Millisecond
)

// A row is a fault and its expected result.
type row struct {
	name string // the fault, in the words of the page
	// line replaces the name on the page. Rows with the same line share a line of the page.
	line string
	// script is the script of the target. If prepare is not nil, it prepares the setup instead.
	script  script
	prepare func(s *setup)
	want    result
	// wantWithKey is the expected result with an API key, if the rule of expected does not give it.
	wantWithKey *result
	only        mode // 0 for both
	noToken     bool // the session contains no token
	// heavy means that a probe takes much work. TestSoak omits it.
	heavy bool
}

// A section has the rows of one table of the page.
type section struct {
	name string
	rows []row
}

var sections = []section{
	{"network", networkRows()},
	{"TLS", tlsRows()},
	{"HTTP", httpRows()},
	{"HTTP/2", http2Rows()},
	{"redirect", redirectRows()},
	{"proxy", proxyRows()},
	{"body", bodyRows()},
	{"payload", payloadRows()},
	{"envelope", envelopeRows()},
	{"login", loginRows()},
}

// A mode is how the session gets its token.
type mode int

const (
	withToken mode = 1 + iota // fixed: the fault meets the GET
	withKey                   // from a login: the fault meets the POST
)

func (m mode) String() string { return [...]string{"both", "token", "key"}[m] }

func (m mode) credential() string {
	if m == withKey {
		return fmt.Sprintf("api_key: %s, api_secret: %s", key, secret)
	}
	return "token: " + token
}

// A result is the result of a probe.
type result struct {
	Name        hmp.Result
	Status      int
	Code        string // "" for none
	Messages    string // "" for none
	Certificate bool   // its expiry is exported
	Lasts       bool   // until the deadline
	Connections int    // to the target
}

// answered returns the result of an answer on the only connection.
func answered(name hmp.Result, status int) result {
	return result{Name: name, Status: status, Connections: 1}
}

// valid returns the result of a valid session.
func valid() result { return answered(hmp.Valid, http.StatusOK) }

// failed returns the result without an answer.
func failed(name hmp.Result, connections int) result {
	return result{Name: name, Connections: connections}
}

// healthy returns the result of [session].
func healthy() result { return valid().messages(2) }

func (w result) code(code hmp.Code) result { w.Code = string(code); return w }

func (w result) messages(n int) result { w.Messages = fmt.Sprint(n); return w }

func (w result) certificate() result { w.Certificate = true; return w }

func (w result) lasts() result { w.Lasts = true; return w }

// up returns the value of hmp_up, or "" if it is absent.
func (w result) up() string {
	switch {
	case !w.Name.Sent():
		return ""
	case w.Status == 0:
		return "0"
	default:
		return "1"
	}
}

// expected returns the expected result in a mode.
func (r *row) expected(m mode) result {
	w := r.want
	switch {
	case m == withToken || r.only == withKey:
	case r.wantWithKey != nil:
		return *r.wantWithKey
	case w.Name == hmp.NoRoles:
	case w.Status == http.StatusUnauthorized, w.Status >= 400 && w.Status < 500 && w.Code != "":
		w.Name = hmp.LoginRejected
	case w.Name == hmp.Valid && r.noToken:
		w.Name, w.Messages = hmp.BadPayload, ""
	case w.Name == hmp.Valid:
		w.Connections *= 2 // the login and the GET
	}
	return w
}

// modes returns the modes in which the row runs.
func (r *row) modes() []mode {
	if r.only != 0 {
		return []mode{r.only}
	}
	return []mode{withToken, withKey}
}

// build prepares the setup of a row.
func (r *row) build(s *setup) {
	s.t.Helper()
	if r.prepare != nil {
		r.prepare(s)
		return
	}
	s.target(r.script)
}
