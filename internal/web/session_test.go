package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

const playoutPage = "/session?target=studio&session=playout"

// TestSession is that the page tells of the last probe what was sent and received, and
// nothing that is secret; the rig's client looks for canaries in all of it.
func TestSession(t *testing.T) {
	r := newRig(t, strings.Replace(fleet, "url: HMP", `url: HMP
    labels: {team: video}
    http_headers:
      X-Gateway: {values: [CANARY-gateway], secrets: [CANARY-secret]}`, 1))
	r.get("/probe?target=studio")
	got := r.get(playoutPage)
	got.want(t, http.StatusOK)
	shown := text(got.page(t).root)
	for _, part := range []string{
		"All sessions / studio /", "playout valid", "HMP confirmed the session.", "URL " + r.hmp.URL, "Labels team=video",
		"GET → HTTP/1.1 200 valid,", "Accept application/json", "Authorization hidden", "X-Gateway hidden", "Content-Type application/json",
		"of the body were read.", "Administrator yes", "Service messages 1", "1 probe",
	} {
		if !strings.Contains(unspaced(shown), unspaced(part)) {
			t.Errorf("%q is not on the page: %s", part, shown)
		}
	}
	if strings.Contains(shown, "Password change required") {
		t.Error("the text of a message is there, which is not to be shown")
	}
}

// unspaced is a text without space, of which there is none between the cells of a table.
func unspaced(s string) string { return strings.Join(strings.Fields(s), "") }

// TestSessionKeepsFailures is that a failure stays there after probes that went well.
func TestSessionKeepsFailures(t *testing.T) {
	r := newRig(t, fleet)
	r.sim.SetToken("CANARY-playout", hmpsim.Redirect(302, "/login?code=CANARY"))
	r.get("/probe?target=studio")
	r.sim.SetToken("CANARY-playout", valid())
	r.get("/probe?target=studio")
	shown := text(r.get(playoutPage).page(t).root)
	for _, part := range []string{"Earlier failures redirect", "GET → HTTP/1.1 302 redirect,", "Location/…", "2 probes, 1 valid", "(before: redirect)", "has the full height and the colour of its result"} {
		if !strings.Contains(unspaced(shown), unspaced(part)) {
			t.Errorf("%q is not on the page: %s", part, shown)
		}
	}
}

// TestSessionLogins is that a login that went well is a success on the page, as in the metrics.
func TestSessionLogins(t *testing.T) {
	result := collector.Result{Target: "studio", Session: "playout", Start: time.Now(), Answer: hmp.Answer{Result: hmp.Valid},
		Logins: &collector.Logins{Last: hmp.Valid, Counts: map[hmp.Result]int{hmp.Valid: 2}}}
	shown := text(pageOf(t, playoutPage, result).root)
	for _, part := range []string{"Logins: success2", "it ended in success."} {
		if !strings.Contains(unspaced(shown), unspaced(part)) {
			t.Errorf("%q is not on the page: %s", part, shown)
		}
	}
}

// TestSessionParameters is that a session that is not configured has no page.
func TestSessionParameters(t *testing.T) {
	r := newRig(t, fleet)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for query, want := range map[string]struct {
			status int
			says   string
		}{
			"":                                    {400, "parameter target is missing"},
			"?session=playout":                    {400, "parameter target is missing"},
			"?target=studio&session=":             {400, "parameter session is empty"},
			"?target=studio&target=tower":         {400, "parameter target is given 2 times"},
			"?target=studio&session=%zz":          {400, "the parameters are malformed"},
			"?target=nowhere&session=playout":     {404, `unknown target "nowhere": `},
			"?target=tower&session=playout":       {404, `unknown session "playout" of target "tower": `},
			"?target=studio&session=%3Cscript%3E": {404, `unknown session "<script>" of target "studio": `},
		} {
			got := r.do(method, "/session"+query)
			got.want(t, want.status, want.says)
			if got.header.Get("Content-Type") != textType || strings.Count(got.body, "\n") != 1 {
				t.Errorf("%s: the error is %q", query, got.body)
			}
		}
	}
	r.get("/session?target=studio").want(t, 400, "parameter session is missing")
	if n := r.probed(); n != 0 {
		t.Errorf("the HMP had %d requests, want none", n)
	}
}

// TestProbeNow is that a post makes one probe of what it names, and leads back.
func TestProbeNow(t *testing.T) {
	r := newRig(t, fleet)
	for _, c := range []struct {
		query, back string
		probes      int
	}{
		{"target=studio&session=playout", "session?target=studio&session=playout", 1},
		{"target=studio", "./?target=studio", 2},
	} {
		before := r.probed()
		got := r.do(http.MethodPost, "/session?"+c.query)
		got.want(t, http.StatusSeeOther)
		if back := got.header.Get("Location"); back != c.back {
			t.Errorf("it leads to %q, want %q", back, c.back)
		}
		if n := r.probed() - before; n != c.probes {
			t.Errorf("%s: the HMP had %d requests, want %d", c.query, n, c.probes)
		}
		r.get("/"+strings.TrimPrefix(c.back, "./")).want(t, http.StatusOK, "just now")
	}
}

// TestOrigins is that no page of another origin can have a browser probe or reload.
func TestOrigins(t *testing.T) {
	r := newRig(t, fleet, lifecycle)
	host := strings.TrimPrefix(r.url, "http://")
	for _, c := range []struct {
		name   string
		header []string
		ok     bool
	}{
		{"a program", nil, true},
		{"the page itself", []string{"Sec-Fetch-Site", "same-origin", "Origin", r.url}, true},
		{"the address bar", []string{"Sec-Fetch-Site", "none"}, true},
		{"the page itself, without TLS", []string{"Origin", "http://" + host}, true},
		{"another site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		{"another port", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:1"}, false},
		{"another site, without TLS", []string{"Origin", "http://evil.example"}, false},
		{"a page that hides where it is from", []string{"Origin", "null"}, false},
	} {
		before := r.probed()
		status, probes := http.StatusForbidden, 0
		if c.ok {
			status, probes = http.StatusSeeOther, 1
		}
		got := r.do(http.MethodPost, playoutPage, c.header...)
		got.want(t, status)
		if !c.ok {
			got.want(t, status, "a page of another origin")
		}
		if n := r.probed() - before; n != probes {
			t.Errorf("%s: the HMP had %d requests, want %d", c.name, n, probes)
		}
		retry := r.do(http.MethodPost, retryOfPlayout, c.header...)
		if (retry.status == http.StatusForbidden) == c.ok {
			t.Errorf("%s: a login is answered with %d", c.name, retry.status)
		}
		if reload := r.do(http.MethodPost, "/-/reload", c.header...); (reload.status == http.StatusOK) != c.ok {
			t.Errorf("%s: a reload is answered with %d", c.name, reload.status)
		}
	}
}

// TestSessionOfOutcomes is that there is a page for every result, whatever is known of it.
func TestSessionOfOutcomes(t *testing.T) {
	for _, r := range outcomesOf() {
		got := pageOf(t, "/session?"+parametersOf(r.Target, r.Session), r)
		if want := verdictOf(r.ResultName()); !strings.Contains(text(got.root), want.Word) || !strings.Contains(text(got.root), want.Meaning) {
			t.Errorf("%s: it does not say %q", r.Session, want)
		}
	}
}

func TestNotes(t *testing.T) {
	full := &collector.Result{
		Answer: hmp.Answer{
			Result: hmp.AuthUnavailable, Code: hmp.ServiceUnavailable, Rotated: true, RetryAfter: 90 * time.Second,
			BodySize: 1, InvalidFields: []string{"admin", "roleIds"},
		},
		Logins: &collector.Logins{Last: hmp.AuthUnavailable},
	}
	want := []string{
		"HMP's error code is 090002 ServiceUnavailable: HMP cannot reach its authentication server.",
		"A login was a part of this probe; it ended in auth_unavailable.",
		"1 byte of the body were read.",
		"Fields left out, as they are not what is documented: admin, roleIds.",
		"The answer carried another authToken than the one sent.",
		"HMP asked to wait 90 s before the next call.",
	}
	if diff := cmp.Diff(want, notesOf(full)); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	odd := &collector.Result{Answer: hmp.Answer{Code: hmp.OtherCode}}
	want = []string{"The error code is not one that HMP documents for this call: a code unlike HMP's."}
	if diff := cmp.Diff(want, notesOf(odd)); diff != "" {
		t.Errorf("notes of a code that is none (-want +got):\n%s", diff)
	}
	if notes := notesOf(new(collector.Result)); len(notes) != 0 {
		t.Errorf("of nothing there is %q", notes)
	}
}
