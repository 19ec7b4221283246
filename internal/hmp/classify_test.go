package hmp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The status and the body of a response decide the result, by the table of results.
func FuzzResultOfResponse(f *testing.F) {
	for _, body := range bodies(f) {
		for _, status := range []uint16{200, 202, 302, 399, 400, 401, 403, 404, 499, 500, 502, 503, 600} {
			f.Add(status, body)
		}
	}
	options := &Options{URL: &url.URL{Scheme: "http", Host: "hmp.example"}, MaxBodySize: 1 << 20, MessageTexts: true}
	f.Fuzz(func(t *testing.T, status uint16, body []byte) {
		status = 100 + (status-100)%900 // of three digits
		limit := 1 << 20
		if status != http.StatusOK {
			limit = maxEnvelope
		}
		want, deep := expect(body, "")
		if deep {
			return
		}
		if len(body) > limit {
			want = expectation{}
			want.code, want.message = codeAndMessage(body[:limit])
		}
		ctx, cancel := context.WithTimeout(t.Context(), plenty)
		defer cancel()
		for method, table := range map[string]func(int, expectation) Result{http.MethodGet: byTable, http.MethodPost: loginByTable} {
			resp := response(status, body)
			defer resp.Body.Close()
			var a Answer
			token, _ := (&call{options: options, method: method}).readResponse(ctx, resp, &a)
			checkAnswer(t, &a)
			if result := table(int(status), want); a.Result != result {
				t.Errorf("%s: %d with %.300q is %s, and %s by the table", method, status, body, a.Result, result)
			}
			if c := codeByTable(int(status), want); method == http.MethodGet && a.Code != c {
				t.Errorf("GET: %d with %.300q has code %q, want %q", status, body, a.Code, c)
			}
			if got := token.Reveal(); a.Result == Valid && got != want.token || a.Result != Valid && got != "" {
				t.Errorf("%s: %s with the token %q, want %q", method, a.Result, got, want.token)
			}
		}
	})
}

func response(status uint16, body []byte) *http.Response {
	return &http.Response{StatusCode: int(status), ContentLength: -1, Body: io.NopCloser(bytes.NewReader(body))}
}

var internalCode = regexp.MustCompile(`^07\d{4}$`)

// byTable is the table of results, for an answer to the GET.
func byTable(status int, body expectation) Result {
	switch {
	case status == 200 && body.hasData:
		return Valid
	case status == 200:
		return BadPayload
	case 300 <= status && status <= 399:
		return Redirect
	case status == 401 && body.code == "020001" && strings.Contains(strings.ToLower(body.message), "no role"):
		return NoRoles
	case status == 401, status == 403 && anyCode.MatchString(body.code), status == 404 && body.code == "040022":
		return Unauthorized
	case status == 404:
		return EndpointMissing
	case status == 500 && internalCode.MatchString(body.code):
		return InternalError
	case status == 503 && body.code == "090002":
		return AuthUnavailable
	default:
		return HTTPError
	}
}

// loginByTable is the table of results, for an answer to the POST.
func loginByTable(status int, body expectation) Result {
	result := byTable(status, body)
	if status > 200 && status < 300 && body.hasData && body.token != "" {
		return Valid
	}
	switch {
	case result == NoRoles:
		return NoRoles
	case status == 401, 400 <= status && status <= 499 && anyCode.MatchString(body.code):
		return LoginRejected
	case result == BadPayload && body.accepted && (body.code == "020002" || body.code == "010001"):
		return LoginRejected
	case result == Valid && body.token == "":
		return BadPayload
	default:
		return result
	}
}

var anyCode = regexp.MustCompile(`^\d{6}$`)

// codeByTable is the code in an answer to the GET.
func codeByTable(status int, body expectation) Code {
	switch {
	case body.code == "", status == 200 && (body.hasData || !body.accepted), status != 200 && status < 400:
		return ""
	case anyCode.MatchString(body.code):
		return Code(body.code)
	default:
		return "other"
	}
}

// checkAnswer checks what is true for every answer.
func checkAnswer(t *testing.T, a *Answer) {
	t.Helper()
	if !slices.ContainsFunc(Results, func(o ResultInfo) bool { return o.Result == a.Result }) {
		t.Errorf("%q is not a result", a.Result)
	}
	if !slices.ContainsFunc(Catalogue, func(e ErrorInfo) bool { return e.Code == a.Code.Catalogued() }) && a.Code != "" {
		t.Errorf("%q is exported as a code that the catalogue lacks", a.Code)
	}
	if a.Code != "" && a.Code != OtherCode && !anyCode.MatchString(string(a.Code)) {
		t.Errorf("%q is not a code", a.Code)
	}
	if !a.Responded && a.StatusCode != 0 || a.StatusCode < 0 || a.StatusCode > 999 {
		t.Errorf("responded: %t, with status %d", a.Responded, a.StatusCode)
	}
	if a.RetryAfter < 0 || a.RetryAfter > maxRetryAfter {
		t.Errorf("it asks to wait for %v", a.RetryAfter)
	}
	if p := a.Phases; min(p.Resolve, p.Connect, p.TLS, p.Processing, p.Transfer) < 0 {
		t.Errorf("a phase is negative: %+v", p)
	}
	checkText(t, a.Reason, 512)
	checkTexts(t, a.Details.MessageTexts)
	if d := a.Details; a.Result != Valid && (d.Admin != nil || d.Roles != nil || d.LoginFailures != nil || d.ServiceMessages != nil || !d.LastAction.IsZero() || !d.LastLogin.IsZero()) {
		t.Errorf("%s with details: %+v", a.Result, d)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"0": 0, "120": 2 * time.Minute, "007": 7 * time.Second, "86401": 24 * time.Hour, "18446744073709551616": 24 * time.Hour,
		"": 0, "-5": 0, "+5": 0, "1.5": 0, "1e3": 0, " 1": 0, "5s": 0, "soon": 0,
		"Tue, 03 Feb 2026 04:06:06 GMT": time.Minute, "Tuesday, 03-Feb-26 04:06:06 GMT": time.Minute, "Tue Feb  3 04:06:06 2026": time.Minute,
		"Tue, 03 Feb 2026 04:05:05 GMT": 0, "Mon, 01 Jan 0001 00:00:00 GMT": 0, "Fri, 31 Dec 9999 23:59:59 GMT": 24 * time.Hour,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}

// TestReasonsOfAnswers has the reasons for responses to a GET and to a login.
func TestReasonsOfAnswers(t *testing.T) {
	if a := ask(t, serve(t, envelope(401, "020001", strings.Repeat("long ", 200)+"no role")).URL, plenty); a.Result != NoRoles {
		t.Errorf("with a long message: %s", a.Result)
	}
	if reason := bodyReason(errNotAnObject, strings.Repeat("gzip,", 9999)); len(reason) > 2*MaxTextLength {
		t.Errorf("the reason has %d bytes", len(reason))
	}
	ctx, cancel := context.WithTimeout(t.Context(), plenty)
	defer cancel()
	const stranger, proxy = "something else than HMP may have answered", "a proxy before the HMP asks for a user and a password (407)"
	for _, tt := range []struct {
		status           int
		body, get, login string
	}{
		{200, `{"data":{}}`, "", "the login's answer has no authToken"},
		{200, `{"data":{"authToken":"a b"}}`, "", "the login's answer has an authToken that is not fit for a header"},
		{200, `{}`, string(errNoData), string(errNoData)},
		{200, `{"code":"020002"}`, string(errNoData), ""},
		{200, `<html>`, string(errNotAnObject), string(errNotAnObject)},
		{200, `{"data":{},}`, "the body is not JSON at byte 11", "the body is not JSON at byte 11"},
		{200, `{"data":{}`, "the body ends early", "the body ends early"},
		{200, `{"data":{"admin":1e`, "the body ends early", "the body ends early"},
		{200, `{"data":{}}` + strings.Repeat(" ", 1<<20), string(errTooLarge), string(errTooLarge)},
		{400, `{"code":"030001"}`, "HMP itself answered: status 400, code 030001", stranger},
		{401, `{"code":"020002"}`, "", ""},
		{401, `<html>`, "", stranger},
		{403, `{"code":"030001"}`, "HMP itself answered: status 403, code 030001", stranger},
		{403, `{"code":"020001"}`, "HMP itself answered: status 403, code 020001 UserNotAuthorized", ""},
		{404, `<html>`, "", ""},
		{407, `<html>`, proxy, proxy},
		{500, `{"code":"CANARY"}`, "", ""},
		{500, `{"code":"020002"}`, "HMP itself answered: status 500, code 020002 InvalidCredentials", "HMP itself answered: status 500, code 020002 InvalidCredentials"},
	} {
		for method, want := range map[string]string{http.MethodGet: tt.get, http.MethodPost: tt.login} {
			c := &call{options: &Options{URL: new(url.URL), MaxBodySize: 1 << 20}, method: method}
			var a Answer
			resp := response(uint16(tt.status), []byte(tt.body))
			defer resp.Body.Close()
			if _, _ = c.readResponse(ctx, resp, &a); a.Reason != want {
				t.Errorf("%s: %d with %.40s: got %q, want %q", method, tt.status, tt.body, a.Reason, want)
			}
		}
	}
}
