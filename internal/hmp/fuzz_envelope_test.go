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
)

// The status and the body of an answer decide its result, by the table that users
// read.
func FuzzEnvelope(f *testing.F) {
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
			want.code, want.message = told(body[:limit])
		}
		ctx, cancel := context.WithTimeout(t.Context(), plenty)
		defer cancel()
		for method, table := range map[string]func(int, expectation) Result{http.MethodGet: byTable, http.MethodPost: loginByTable} {
			resp := response(status, body)
			defer resp.Body.Close()
			var a Answer
			token, _ := (&call{options: options, method: method}).read(ctx, resp, &a)
			checkAnswer(t, &a)
			if result := table(int(status), want); a.Result != result {
				t.Errorf("%s: %d with %.300q is %s, and %s by the table", method, status, body, a.Result, result)
			}
			if c := codeByTable(int(status), want); method == http.MethodGet && a.Code != c {
				t.Errorf("GET: %d with %.300q has code %q, want %q", status, body, a.Code, c)
			}
			if handed := token.Reveal(); a.Result == Valid && handed != want.token || a.Result != Valid && handed != "" {
				t.Errorf("%s: %s with the token %q, want %q", method, a.Result, handed, want.token)
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

// codeByTable is the code that an answer to the GET tells.
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

// checkAnswer checks what holds for every answer, whatever it answers.
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
		t.Errorf("a phase is less than nothing: %+v", p)
	}
	checkText(t, a.Reason, 512)
	checkTexts(t, a.Details.MessageTexts)
	if d := a.Details; a.Result != Valid && (d.Admin != nil || d.Roles != nil || d.LoginFailures != nil || d.ServiceMessages != nil || !d.LastAction.IsZero() || !d.LastLogin.IsZero()) {
		t.Errorf("%s with details: %+v", a.Result, d)
	}
}
