package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

const retryOfPlayout = "/retry-login?target=studio&session=playout"

// suspended results are those of one session whose logins are suspended.
func suspended() []collector.Result {
	results := someResults(1)
	results[0].Answer = hmp.Answer{Result: hmp.LoginRejected}
	results[0].Skipped, results[0].Logins = true, new(collector.Logins)
	results[0].Logins.Suspended = true
	return results
}

// TestRetryLogin is that a post has the login of one session tried, probes the session once
// and leads back; and what is said if there is nothing to try, or too soon.
func TestRetryLogin(t *testing.T) {
	for _, c := range []struct {
		name, query string
		err         error
		status      int
		says        string
		header      string // Retry-After
	}{
		{"tried", "target=studio&session=playout", nil, http.StatusSeeOther, "", ""},
		{"no session", "target=studio", nil, http.StatusBadRequest, "parameter session is missing", ""},
		{"unknown target", "target=nowhere&session=playout", nil, http.StatusNotFound, "unknown target", ""},
		{"unknown session", "target=studio&session=x", collector.ErrUnknownSession, http.StatusNotFound, "unknown session", ""},
		{"too soon", "target=studio&session=playout", collector.ErrTooSoon, http.StatusTooManyRequests, "less than a minute ago. Wait a minute", "60"},
		{"fixed token", "target=studio&session=playout", collector.ErrNoLogin, http.StatusConflict, "has a token and no API key", ""},
		{"failure", "target=studio&session=playout", errors.New("disk on fire"), http.StatusInternalServerError, "disk on fire", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{results: suspended(), retryErr: c.err, gate: make(chan struct{}, 10)}
			for range cap(f.gate) {
				f.gate <- struct{}{}
			}
			w := httptest.NewRecorder()
			handlerOf(t, f).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/retry-login?"+c.query, nil))
			got := reply{w.Code, w.Header(), w.Body.String()}
			got.want(t, c.status, c.says)
			got.safe(t)
			if after := got.header.Get("Retry-After"); after != c.header {
				t.Errorf("Retry-After %q, want %q", after, c.header)
			}
			var retried []string
			probes := 0
			if c.status == http.StatusSeeOther {
				retried, probes = []string{"studio/playout"}, 1
				if back := got.header.Get("Location"); back != "session?target=studio&session=playout" {
					t.Errorf("it leads to %q", back)
				}
			}
			if n := cap(f.gate) - len(f.gate); !slices.Equal(f.retried, retried) || n != probes {
				t.Errorf("tried %q with %d probes, want %q with %d", f.retried, n, retried, probes)
			}
		})
	}
}

// TestRetryLoginForm is that the page of a session has a form for it while its logins are
// suspended, which a browser sends only if somebody has confirmed it.
func TestRetryLoginForm(t *testing.T) {
	for _, results := range [][]collector.Result{suspended(), someResults(1)} {
		root := pageOf(t, playoutPage, results...).root
		want := results[0].Logins != nil
		found := false
		for form := range all(root, "form") {
			if attribute(form, "action") != strings.TrimPrefix(retryOfPlayout, "/") {
				continue
			}
			found = true
			if attribute(form, "method") != "post" || !strings.Contains(text(form), "Try the login now") {
				t.Errorf("the form says %q", text(form))
			}
			confirmed := false
			for input := range all(form, "input") {
				if attribute(input, "type") == "checkbox" && has(input, "required") && !has(input, "checked") {
					confirmed = true
				}
			}
			if !confirmed {
				t.Error("the form asks for no confirmation")
			}
		}
		if found != want {
			t.Errorf("suspended %v: there is a form: %v", want, found)
		}
		if strings.Contains(text(root), "tries a changed key or secret at once") != want {
			t.Errorf("suspended %v: the page says %q", want, text(root))
		}
	}
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}
