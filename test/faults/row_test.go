package faults

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"hmp_exporter/internal/hmp"
)

const (
	// rowTimeout is the timeout of a target whose probe ends early. It is generous, for a busy machine.
	rowTimeout = time.Minute
	// shortTimeout is the timeout of a target whose probe lasts until the deadline, and
	// longerTimeout the timeout if the row has to run again.
	shortTimeout, longerTimeout = 300 * time.Millisecond, 3 * time.Second
)

// A row is a fault and its expected result.
type row struct {
	name string // the fault, in the words of the page
	// line replaces the name on the page. Rows with the same line share a line of the page.
	line string
	// script is the script of the target. If set is not nil, it prepares the setup instead.
	script script
	set    func(s *setup)
	want   want
	// withKey is the expected result with an API key, if the rule of expected does not give it.
	withKey *want
	only    mode // 0 for both
	// unusable means that the session contains no token.
	unusable bool
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

// A want is the expected result of a probe.
type want struct {
	Result      hmp.Result
	Status      int
	Code        string // "" for none
	Messages    string // "" for none
	Certificate bool   // its expiry is exported
	Lasts       bool   // until the deadline
	Connections int    // to the target
}

// answered returns the result of an answer on the only connection.
func answered(o hmp.Result, status int) want { return want{Result: o, Status: status, Connections: 1} }

// valid returns the result of a valid session.
func valid() want { return answered(hmp.Valid, http.StatusOK) }

// failed returns the result without an answer.
func failed(o hmp.Result, connections int) want { return want{Result: o, Connections: connections} }

// healthy returns the result of [session].
func healthy() want { return valid().messages(2) }

func (w want) code(code hmp.Code) want { w.Code = string(code); return w }

func (w want) messages(n int) want { w.Messages = fmt.Sprint(n); return w }

func (w want) certificate() want { w.Certificate = true; return w }

func (w want) lasts() want { w.Lasts = true; return w }

// up returns the value of hmp_up, or "" if it is absent.
func (w want) up() string {
	switch {
	case !w.Result.Sent():
		return ""
	case w.Status == 0:
		return "0"
	default:
		return "1"
	}
}

// expected returns the expected result in a mode.
func (r *row) expected(m mode) want {
	w := r.want
	switch {
	case m == withToken || r.only == withKey:
	case r.withKey != nil:
		return *r.withKey
	case w.Result == hmp.NoRoles:
	case w.Status == http.StatusUnauthorized, w.Status >= 400 && w.Status < 500 && w.Code != "":
		w.Result = hmp.LoginRejected
	case w.Result == hmp.Valid && r.unusable:
		w.Result, w.Messages = hmp.BadPayload, ""
	case w.Result == hmp.Valid:
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
	if r.set != nil {
		r.set(s)
		return
	}
	s.target(r.script)
}

// alert returns the alert of a result, or "".
func alert(o hmp.Result) string {
	alerts := []struct {
		name    string
		results []hmp.Result
	}{
		{"", []hmp.Result{hmp.Valid}},
		{"HMPUnreachable", []hmp.Result{hmp.DNS, hmp.Connect, hmp.TLS, hmp.Protocol, hmp.Timeout}},
		{"HMPAuthServiceUnavailable", []hmp.Result{hmp.AuthUnavailable}},
		{"HMPInternalError", []hmp.Result{hmp.InternalError}},
		{"HMPSessionUnauthorized", []hmp.Result{hmp.Unauthorized}},
		{"HMPSessionNoRoles", []hmp.Result{hmp.NoRoles}},
		{"HMPSessionLoginRejected", []hmp.Result{hmp.LoginRejected}},
		{"HMPEndpointMissing", []hmp.Result{hmp.EndpointMissing}},
		{"HMPExporterSaturated", []hmp.Result{hmp.Saturated}},
	}
	for _, a := range alerts {
		if slices.Contains(a.results, o) {
			return a.name
		}
	}
	return "HMPSessionInvalid"
}
