package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestSession is that the page of a session shows what the last probe and failed probes before
// it sent and received, without secrets.
func TestSession(t *testing.T) {
	e := newExporter(t, strings.Replace(threeSessions, "url: HMP", `url: HMP
    labels: {team: video}
    http_headers:
      X-Gateway: {values: [CANARY-gateway], secrets: [CANARY-secret]}`, 1))
	e.hmp.SetToken("CANARY-playout", hmpsim.Redirect(302, "/login?code=CANARY"))
	e.get("/probe?target=studio")
	if failed := e.get(playoutPage); strings.Contains(failed.body, "Earlier failures") {
		t.Error("the last probe is among the earlier failures")
	}
	e.hmp.SetToken("CANARY-playout", validSession())
	e.get("/probe?target=studio")
	got := e.get(playoutPage)
	got.says(t,
		"All sessions / studio /", "playout valid", "HMP confirmed the session.", "URL "+e.hmpURL, "Labels team=video",
		"GET → HTTP/1.1 200 valid,", "Accept application/json", "Authorization hidden", "X-Gateway hidden", "Content-Type application/json",
		"of the body were read.", "Administrator yes", "Service messages 1", "2 probes, 1 valid", "(before: redirect)",
		"Earlier failures redirect", "GET → HTTP/1.1 302 redirect,", "Location/…", "has the full height and the colour of its result",
	)
	if strings.Contains(got.body, "Password change required") {
		t.Error("the text of a service message is there without service_message_text")
	}
}

// says checks what a reader sees. Table cells have no space between them.
func (r reply) says(t *testing.T, parts ...string) {
	t.Helper()
	unspaced := func(s string) string { return strings.Join(strings.Fields(s), "") }
	shown := unspaced(text(r.page(t).root))
	for _, part := range parts {
		if !strings.Contains(shown, unspaced(part)) {
			t.Errorf("%q is not on the page: %s", part, shown)
		}
	}
}

// TestSessionDetails is what the page of a session says of a login, an error code, the version,
// and times.
func TestSessionDetails(t *testing.T) {
	result := collector.Result{
		Target: "studio", Session: "playout", Start: time.Now().Add(-3 * time.Second), Timeout: 9500 * time.Millisecond, Duration: 1234 * time.Millisecond, Rotations: 2,
		Answer: hmp.Answer{
			Result: hmp.AuthUnavailable, Responded: true, StatusCode: 503, Code: hmp.ServiceUnavailable, Rotated: true, RetryAfter: 90 * time.Second,
			BodySize: 1, InvalidFields: []string{"admin", "roleIds"}, Details: hmp.Details{Roles: new(4), LoginFailures: new(2.0), LastLogin: time.Now().Add(-5 * time.Hour)},
			Phases: hmp.Phases{Connect: 340 * time.Microsecond, Processing: 24 * time.Millisecond},
		},
		Logins:  &collector.Logins{InProbe: hmp.Valid, Counts: map[hmp.Result]int{hmp.Valid: 2, hmp.DNS: 1}},
		Version: collector.NewVersion(hmp.Version{Version: "4.1.1 <b>", Build: "30242"}),
	}
	result.Logins.TokenExpiry = time.Now().Add(90*time.Minute + time.Second)
	handler := newHandler(t, &fake{results: []collector.Result{result}})
	serve(t, handler, http.MethodGet, playoutPage).says(t,
		"3 s ago", "1.23 s of 9.50 s", "connect 0.3 ms, tls 0 ms, processing 24 ms", "HTTP status 503", "Error code 090002", "Roles 4", "Failed logins 2", "Last login 5 h ago", "Token changes 2",
		"Logins: dns 1", "Logins: success 2", "Token expires in 90 min", "Version 4.1.1 <b> build 30242",
		"HMP's error code is 090002 ServiceUnavailable: HMP cannot reach its authentication server.",
		"A login was a part of this probe; it ended in success.", "1 byte of the body were read.", "Fields left out, as they are not what is documented: admin, roleIds.",
		"The answer carried another authToken than the one sent.", "HMP asked to wait 90 s before the next call.",
	)
	serve(t, handler, http.MethodGet, "/").says(t, "studio/playout HMP 4.1.1 <b>")
	other := result
	other.Code = hmp.OtherCode
	serve(t, newHandler(t, &fake{results: []collector.Result{other}}), http.MethodGet, playoutPage).says(t,
		"The error code is not one that HMP documents for this call: a code unlike HMP's.")
}

// suspended returns the result of a session whose logins are suspended.
func suspended() []collector.Result {
	results := validResults(1)
	results[0].Answer = hmp.Answer{Result: hmp.LoginRejected}
	results[0].Skipped, results[0].Logins = true, new(collector.Logins)
	results[0].Logins.Suspended = true
	return results
}

// TestRetryLogin is that a post tries the login of one session, probes the session once, and
// leads back. Otherwise it says why there is nothing to try.
func TestRetryLogin(t *testing.T) {
	const session = "target=studio&session=playout"
	for _, c := range []struct {
		query      string
		err        error
		status     int
		says       string
		retryAfter string
	}{
		{session, nil, http.StatusSeeOther, "", ""},
		{"target=studio", nil, http.StatusBadRequest, "parameter session is missing", ""},
		{session, collector.ErrUnknownTarget, http.StatusNotFound, "unknown target", ""},
		{session, collector.ErrUnknownSession, http.StatusNotFound, "unknown session", ""},
		{session, collector.ErrTooSoon, http.StatusTooManyRequests, "less than a minute ago: wait a minute", "60"},
		{session, collector.ErrNoLogin, http.StatusConflict, "has a token and no API key", ""},
		{session, errors.New("disk on fire"), http.StatusInternalServerError, "disk on fire", ""},
	} {
		f := &fake{results: suspended(), retryErr: c.err}
		got := serve(t, newHandler(t, f), http.MethodPost, "/retry-login?"+c.query)
		got.want(t, c.status, c.says)
		got.checkHeader(t)
		if after := got.header.Get("Retry-After"); after != c.retryAfter {
			t.Errorf("%s: Retry-After %q, want %q", c.says, after, c.retryAfter)
		}
		if tried := c.status == http.StatusSeeOther; tried != (len(f.retried) == 1) || tried != (len(f.requests) == 1) {
			t.Errorf("%s: %d logins and %d probes", c.says, len(f.retried), len(f.requests))
		}
	}
}

// TestRetryLoginForm is that the page of a session has a form for it only while logins are
// suspended. A browser sends it only after a confirmation.
func TestRetryLoginForm(t *testing.T) {
	for _, results := range [][]collector.Result{suspended(), validResults(1)} {
		isSuspended, found := results[0].Logins != nil, false
		for form := range all(pageOf(t, playoutPage, results...).root, "form") {
			if attribute(form, "action") != "retry-login?target=studio&session=playout" {
				continue
			}
			found = true
			for input := range all(form, "input") {
				required := slices.ContainsFunc(input.Attr, func(a html.Attribute) bool { return a.Key == "required" })
				if attribute(form, "method") != "post" || attribute(input, "type") != "checkbox" || !required {
					t.Error("the form needs no confirmation")
				}
			}
		}
		if found != isSuspended {
			t.Errorf("suspended %t: there is a form: %t", isSuspended, found)
		}
	}
	for _, path := range []string{"/", playoutPage} {
		if page := text(pageOf(t, path, suspended()...).root); !strings.Contains(page, "nothing sent") {
			t.Errorf("%s does not say that nothing was sent: %s", path, page)
		}
	}
}
