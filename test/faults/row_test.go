package faults

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"hmp_exporter/internal/hmp"
)

const (
	// patience is the timeout of a target whose fault does not use it up, on however busy a machine.
	patience = time.Minute
	// brief is the first timeout of a target whose fault does, and longBrief the timeout of the next ones.
	brief, longBrief = 300 * time.Millisecond, 3 * time.Second
)

// A row is one fault and what has to become of it.
type row struct {
	name string // the fault, as the page words it
	// line stands for the row in the page, together with others that have the same;
	// the name does if it is "".
	line string
	// script is what the far side does; set, if there is one, builds the stage instead.
	script script
	set    func(s *stage)
	want   want
	// withKey is what comes of it with an API key, where that is not what the rule says.
	withKey *want
	only    mode // the one mode that it is about; 0 for both
	// unusable is true for a session that gives no token to go on with.
	unusable bool
	// heavy is true for one that takes much work, and is left out where thousands are made.
	heavy bool
}

// A section is the rows of one table of the page.
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
	withToken mode = 1 + iota // a fixed one: the fault meets the GET
	withKey                   // by a login: the fault meets the POST
)

func (m mode) String() string { return [...]string{"both", "token", "key"}[m] }

func (m mode) credential() string {
	if m == withKey {
		return fmt.Sprintf("api_key: %s, api_secret: %s", key, secret)
	}
	return "token: " + token
}

// A want is what has to be seen of a probe.
type want struct {
	Result      hmp.Result
	Status      int
	Code        string // "" for none
	Messages    string // "" for none
	Certificate bool   // its expiry is exported
	Lasts       bool   // until the deadline
	Connections int    // to the target
}

// answered is what is wanted where the far side answers on the one connection.
func answered(o hmp.Result, status int) want { return want{Result: o, Status: status, Connections: 1} }

// valid is what is wanted of a session that is.
func valid() want { return answered(hmp.Valid, http.StatusOK) }

// failed is what is wanted where it does not answer.
func failed(o hmp.Result, connections int) want { return want{Result: o, Connections: connections} }

func (w want) code(code hmp.Code) want { w.Code = string(code); return w }

func (w want) messages(n int) want { w.Messages = fmt.Sprint(n); return w }

func (w want) certificate() want { w.Certificate = true; return w }

func (w want) lasts() want { w.Lasts = true; return w }

// up is the value of hmp_up; "" where there is none.
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

// wanted is what has to be seen of a row in a mode.
func (r *row) wanted(m mode) want {
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
		w.Connections *= 2 // the login, and the question
	}
	return w
}

// modes are those in which a row is run.
func (r *row) modes() []mode {
	if r.only != 0 {
		return []mode{r.only}
	}
	return []mode{withToken, withKey}
}

// build puts a row on a stage.
func (r *row) build(s *stage) {
	s.t.Helper()
	if r.set != nil {
		r.set(s)
		return
	}
	s.target(r.script)
}

// alert is the one that a result raises; "" for none.
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
