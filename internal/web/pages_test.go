package web

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/version"
	"golang.org/x/net/html"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/report"
)

// TestStatus is the status page before and after a scrape. It does not probe.
func TestStatus(t *testing.T) {
	e := newExporter(t, threeSessions)
	got := e.get("/")
	got.want(t, http.StatusOK, "3 sessions, not probed yet", "on 2 targets", "No probe has been made yet.", "Probe now", "Configuration loaded <time")
	never := "No probe has been made yet. Let Prometheus scrape the exporter, or press Probe all."
	before := [][]string{
		{"studio/archive", "not_probed", never, "not probed yet", "", "", "", "", "never Probe now"},
		{"studio/playout", "not_probed", never, "not probed yet", "", "", "", "", "never Probe now"},
		{"tower/relay", "not_probed", never, "not probed yet", "", "", "", "", "never Probe now"},
	}
	if diff := cmp.Diff(before, got.page(t).rows()); diff != "" {
		t.Errorf("before a scrape (-want +got):\n%s", diff)
	}
	e.get(playoutPage).want(t, http.StatusOK, "None yet.")
	if n := e.probes(); n != 0 {
		t.Errorf("the pages have made %d probes, want none", n)
	}

	e.get("/probe?target=studio").want(t, http.StatusOK)
	got = e.get("/")
	got.want(t, http.StatusOK, "1 of 3 sessions</a> is not valid", "1 not probed yet")
	rows := got.page(t).rows()
	for _, row := range [][]string{rows[0], rows[2]} {
		if !strings.Contains(row[4], "resolve 0 ms, connect ") {
			t.Errorf("%q is not how long a probe took", row[4])
		}
		row[3], row[4] = strings.TrimRight(row[3], "0123456789 s"), ""
	}
	after := [][]string{
		{"studio/archive", "no_roles", "HMP knows the user, but the user has no role. Assign a role to the user in HMP. Runbook", "1 probe, 0 valid, the oldest just now In this state for", "", "", "", "", "just now Probe now"},
		{"tower/relay", "not_probed", never, "not probed yet", "", "", "", "", "never Probe now"},
		{"studio/playout", "valid", "HMP confirmed the session.", "1 probe, 1 valid, the oldest just now In this state for", "", "", "", "1", "just now Probe now"},
	}
	if diff := cmp.Diff(after, rows); diff != "" {
		t.Errorf("after a scrape of studio (-want +got):\n%s", diff)
	}
	filtered := e.get("/?target=tower&result=valid&page=2").page(t)
	var counts []string
	for li := range all(filtered.root, "li") {
		counts = append(counts, text(li))
	}
	if !slices.Equal(counts, []string{"1 no_roles", "1 not_probed", "1 valid"}) || !slices.Contains(filtered.links(), "./?result=no_roles") {
		t.Errorf("the counts are %q, with links to %q", counts, filtered.links())
	}
}

// TestHeadline is that the status page says that all is well only if all was probed.
func TestHeadline(t *testing.T) {
	valid := collector.Result{Target: "t", Session: "valid", Answer: hmp.Answer{Result: hmp.Valid}}
	invalid := collector.Result{Target: "t", Session: "invalid", Answer: hmp.Answer{Result: hmp.DNS}}
	fresh := collector.Result{Target: "t", Session: "fresh"}
	for want, results := range map[string][]collector.Result{
		"No session is configured on 0 targets":     nil,
		"1 session, not probed yet on 1 target":     {fresh},
		"2 sessions, not probed yet on 1 target":    {fresh, fresh},
		"1 of 2 sessions is valid on 1 target":      {fresh, valid},
		"1 of 3 sessions is not valid on 1 target":  {fresh, valid, invalid},
		"The session is valid on 1 target":          {valid},
		"All 2 sessions are valid on 1 target":      {valid, valid},
		"2 of 2 sessions are not valid on 1 target": {invalid, invalid},
	} {
		for h1 := range all(pageOf(t, "/", results...).root, "h1") {
			if got := text(h1); got != want {
				t.Errorf("the page says %q, want %q", got, want)
			}
		}
	}
}

// everyResult returns a result of each kind, after a panic, of a skipped probe and before the
// first probe.
func everyResult() []collector.Result {
	var results []collector.Result
	for i, o := range collector.Results() {
		results = append(results, collector.Result{
			Target: "t" + fmt.Sprint(i%3), Session: string(o.Result), Answer: hmp.Answer{Result: o.Result, Responded: true},
			Start: time.Now().Add(-time.Duration(i) * time.Minute), Duration: time.Duration(i) * time.Millisecond, Timeout: time.Second,
		})
	}
	return append(results,
		collector.Result{Target: "t0", Session: collector.Panicked, Panicked: true, Start: time.Now(), Answer: hmp.Answer{Reason: "*errors.errorString"}},
		collector.Result{Target: "t0", Session: "held", Skipped: true, Start: time.Now(), Answer: hmp.Answer{Result: hmp.LoginRejected, Reason: "the exporter tries this secret again at 12:00:00"}},
		collector.Result{Target: "t0", Session: report.NotProbed})
}

// TestEveryResult is that both pages explain each result, link to its section of the runbook,
// and have a color and a severity for it.
func TestEveryResult(t *testing.T) {
	style, err := assets.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	var anchors []string
	for n := range all(pageOf(t, "/runbook").root, "h3") {
		anchors = append(anchors, "runbook#"+attribute(n, "id"))
	}
	results := everyResult()
	rows := make(map[string]string)
	for _, row := range pageOf(t, "/", results...).rows() {
		rows[row[0]] = row[1] + ": " + row[2]
	}
	for _, r := range results {
		info := infoOf(r.ResultName())
		want := info.Name + ": " + info.Meaning
		if r.Skipped {
			want = info.Name + " nothing sent: " + info.Meaning
		}
		if info.Name != valid {
			want += " " + info.Advice
		}
		if info.Runbook != "" {
			want += " Runbook"
		}
		if r.Skipped {
			want += " Nothing was sent this time."
		}
		if r.Reason != "" {
			want += " " + r.Reason
		}
		if got := rows[r.Target+"/"+r.Session]; got != want {
			t.Errorf("the row is %q, want %q", got, want)
		}
		if severity(r.ResultName()) < 0 || !strings.Contains(string(style), ".r-"+info.Name+" {") {
			t.Errorf("%s has no severity or no color", info.Name)
		}
		page := pageOf(t, sessionPath+"?target="+r.Target+"&session="+r.Session, results...)
		if !strings.Contains(text(page.root), info.Meaning) {
			t.Errorf("the page of %s does not say %q", r.Session, info.Meaning)
		}
		link := slices.IndexFunc(page.links(), func(l string) bool { return strings.HasPrefix(l, "runbook#") })
		if wanted := info.Name != valid && info.Name != report.NotProbed; (link >= 0) != wanted || wanted && !slices.Contains(anchors, page.links()[link]) {
			t.Errorf("the page of %s has no link to its section of the runbook: %q", r.Session, page.links())
		}
	}
	if want := len(collector.Results()) + 2; len(bySeverity) != want { // with a panic and no probe
		t.Errorf("%d results have a severity, and there are %d", len(bySeverity), want)
	}
}

// TestFilter is which sessions a query finds, and in which order.
func TestFilter(t *testing.T) {
	result := func(target, session string, name hmp.Result, took, ago time.Duration) collector.Result {
		return collector.Result{Target: target, Session: session, Answer: hmp.Answer{Result: name, Responded: true}, Duration: took, Start: time.Now().Add(-ago)}
	}
	results := []collector.Result{
		result("b", "one", hmp.Valid, 3*time.Millisecond, 4*time.Minute),
		result("a", "two", hmp.Timeout, 9*time.Millisecond, time.Minute),
		result("a", "Three", hmp.Valid, time.Millisecond, 3*time.Minute),
		{Target: "c", Session: "four"},
	}
	for query, want := range map[string]string{
		"":                            "a/two c/four a/Three b/one",
		"sort=name":                   "a/Three a/two b/one c/four",
		"sort=latency":                "a/two b/one a/Three c/four",
		"sort=changed":                "a/two a/Three b/one c/four",
		"sort=probed":                 "c/four b/one a/Three a/two",
		"target=a":                    "a/two a/Three",
		"target=a&q=THREE":            "a/Three",
		"q=a/t":                       "a/two a/Three",
		"q=+one+":                     "b/one",
		"result=problems":             "a/two",
		"result=valid&sort=name":      "a/Three b/one",
		"result=not_probed":           "c/four",
		"result=pending":              "c/four",
		"result=tls":                  "",
		"target=nowhere":              "",
		"q=%3Cscript%3E":              "",
		"page=7&sort=name":            "a/Three a/two b/one c/four",
		"page=-1&sort=name&unknown=1": "a/Three a/two b/one c/four",
	} {
		got := pageOf(t, "/?"+query, results...)
		var names []string
		for _, row := range got.rows() {
			names = append(names, row[0])
		}
		if names := strings.Join(names, " "); names != want {
			t.Errorf("%s: got %q, want %q", query, names, want)
		}
		if want == "" && !strings.Contains(text(got.root), "No session matches.") {
			t.Errorf("%s: it does not say that there is none", query)
		}
		asked, _ := url.ParseQuery(query)
		for input := range all(got.root, "input") {
			if attribute(input, "name") == "q" && attribute(input, "value") != strings.TrimSpace(asked.Get("q")) {
				t.Errorf("%s: the form has %q", query, attribute(input, "value"))
			}
		}
	}
	long := strings.Repeat("a", maxText+1)
	for query, want := range map[string]string{
		"sort=colour":               `there is no order "colour": choose problems, name, latency, changed or probed`,
		"result=fine":               `there is no result "fine": choose one of problems, crashed,`,
		"page=99999999999999999999": `is not a number: pages are counted from 1`,
		"q=a&q=b":                   `parameter "q" is given 2 times: give it once`,
		"q=%zz":                     "the parameters are malformed",
		"target=" + long:            "what is searched for is too long: 200 bytes are the limit",
		"sort=" + long:              "there is no order",
		"result=%0d%0aX-Evil:+1":    `there is no result "\r\nX-Evil: 1"`,
	} {
		got := serve(t, newHandler(t, new(fake)), http.MethodGet, "/?"+query)
		got.want(t, http.StatusBadRequest, want)
		if lines := strings.Count(got.body, "\n"); lines != 1 || len(got.body) > 500 {
			t.Errorf("%.100q: an error of %d lines and %d bytes", query, lines, len(got.body))
		}
	}
}

// TestManySessions is that a page has a bounded size, and that its links lead to all sessions.
func TestManySessions(t *testing.T) {
	const sessions, maxSize = 5 * rowsPerPage, 600 << 10
	results := validResults(sessions)
	for i := range results {
		results[i].Target += fmt.Sprint(i)
	}
	handler := newHandler(t, &fake{results: results})
	seen := make(map[string]bool)
	pages := 0
	for link := "./?sort=name"; link != ""; pages++ {
		got := serve(t, handler, http.MethodGet, link[1:])
		got.want(t, http.StatusOK, fmt.Sprintf("%d to %d of %d", pages*rowsPerPage+1, (pages+1)*rowsPerPage, sessions))
		if len(got.body) > maxSize || strings.Contains(got.body, `<select name="target"`) {
			t.Fatalf("a page has %d bytes, want %d at most, and no list of all targets", len(got.body), maxSize)
		}
		if order := "./?sort=latency"; !slices.Contains(got.page(t).links(), order) {
			t.Errorf("another order does not begin at page 1: %q", got.page(t).links())
		}
		for _, row := range got.page(t).rows() {
			seen[row[0]] = true
		}
		link = ""
		for a := range all(got.page(t).root, "a") {
			if attribute(a, "rel") == "next" {
				link = attribute(a, "href")
			}
		}
	}
	if len(seen) != sessions || pages != sessions/rowsPerPage {
		t.Errorf("%d pages have %d sessions", pages, len(seen))
	}
}

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
		Logins:  &collector.Logins{Last: hmp.Valid, Counts: map[hmp.Result]int{hmp.Valid: 2, hmp.DNS: 1}},
		Version: collector.NewVersion(hmp.Version{Version: "4.1.1 <b>", Build: "30242"}),
	}
	result.Logins.TokenExpiry = time.Now().Add(90*time.Minute + time.Second)
	handler := newHandler(t, &fake{results: []collector.Result{result}})
	serve(t, handler, http.MethodGet, playoutPage).says(t,
		"3 s ago", "1.23 s of 9.50 s", "connect 0.3 ms, tls 0 ms, processing 24 ms", "HTTP status 503", "Error code 090002", "Roles 4", "Failed logins 2", "Last login 5 h ago", "Token changes 2",
		"Logins: dns 1", "Logins: success 2", "Token ends in 90 min", "Version 4.1.1 <b> build 30242",
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

// TestTimes is how pages write times.
func TestTimes(t *testing.T) {
	for ahead, want := range map[time.Duration]string{
		-time.Second: "just now", 0: "just now", -3 * time.Second: "3 s ago", -119 * time.Second: "119 s ago", -2 * time.Minute: "2 min ago",
		-119 * time.Minute: "119 min ago", -3 * time.Hour: "3 h ago", -72 * time.Hour: "3 days ago", 30 * time.Second: "in 30 s", 364 * 24 * time.Hour: "in 364 days",
	} {
		if got := relative(ahead); got != want {
			t.Errorf("%v: got %q, want %q", ahead, got, want)
		}
	}
	for left, want := range map[time.Duration]expiry{-time.Hour: {Past: true, Soon: true}, time.Hour: {Soon: true}, 3 * time.Hour: {}} {
		if got := newExpiry(time.Now().Add(left), 2*time.Hour); got.Past != want.Past || got.Soon != want.Soon {
			t.Errorf("an end in %v is %+v", left, got)
		}
	}
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1234: "1.2 kB", 1_048_576: "1.0 MB"} {
		if got := size(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

// TestHistoryChart is that a failed probe has the full height, and a valid one the higher the
// slower it was.
func TestHistoryChart(t *testing.T) {
	got := newHistoryChart([]collector.Point{
		{ResultName: valid, Duration: 4 * time.Millisecond, Start: time.Now()},
		{ResultName: "dns", Duration: time.Second, Start: time.Now()},
		{ResultName: valid, Duration: time.Millisecond, Start: time.Now()},
	})
	want := historyChart{
		Paths: []resultPath{{"dns", "M232 40v-40h3v40z"}, {valid, "M236 40v-26h3v26zM228 40v-16h3v16z"}},
		Text:  "3 probes, 2 valid, the oldest just now",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
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
		page := pageOf(t, playoutPage, results...)
		want, found := results[0].Logins != nil, false
		for form := range all(page.root, "form") {
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
		if found != want || strings.Contains(text(page.root), "tries a changed key or secret at the next probe") != want {
			t.Errorf("suspended %t: there is a form: %t", want, found)
		}
	}
}

// TestLinks is that no link or form of a page is dead.
func TestLinks(t *testing.T) {
	e := newExporter(t, threeSessions)
	e.get("/metrics")
	for _, path := range []string{"/", "/?target=studio&sort=name", playoutPage} {
		e.checkLinks(path, "/")
		page := e.get(path).page(t)
		for _, link := range []string{"./metrics", "config", "sd", "-/healthy"} {
			if !slices.Contains(page.links(), link) {
				t.Errorf("%s: there is no link to %s", path, link)
			}
		}
	}
}

// checkLinks follows the links and forms of a page. All must stay below a prefix.
func (e *exporter) checkLinks(path, prefix string) {
	e.t.Helper()
	page := e.get(path).page(e.t)
	for _, link := range page.links() {
		if !strings.HasPrefix(link, "#") {
			e.get(below(e.t, prefix, resolve(e.t, path, link))).want(e.t, http.StatusOK)
		}
	}
	for form := range all(page.root, "form") {
		action := below(e.t, prefix, resolve(e.t, path, attribute(form, "action")))
		if attribute(form, "method") != "post" {
			e.get(action).want(e.t, http.StatusOK)
			continue
		}
		got := e.do(http.MethodPost, action, "Origin", "https://proxy.example", "Sec-Fetch-Site", "same-origin")
		got.want(e.t, http.StatusSeeOther)
		e.get(below(e.t, prefix, resolve(e.t, action, got.header.Get("Location")))).want(e.t, http.StatusOK, "just now")
	}
}

func resolve(t *testing.T, page, link string) string {
	t.Helper()
	base, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	to, err := base.Parse(link)
	if err != nil || to.Host != "" {
		t.Fatalf("%s leads to %s, %v", page, link, err)
	}
	return to.RequestURI()
}

func below(t *testing.T, prefix, link string) string {
	t.Helper()
	if !strings.HasPrefix(link, prefix) {
		t.Errorf("the link %s is not below %s", link, prefix)
	}
	return link
}

// TestPagesAreSafe is that text of an HMP, a name or an error stays text, and that the pages
// have nothing that the policy forbids.
func TestPagesAreSafe(t *testing.T) {
	const markup = `"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}&session=x`
	defer func(before string) { version.Version = before }(version.Version)
	pageWith := func(path, markup string) page {
		version.Version = "v" + markup
		result := collector.Result{
			Target: "t" + markup, Session: "s" + markup, Start: time.Unix(0, 0), Duration: 1500 * time.Millisecond,
			Answer: hmp.Answer{
				Result: hmp.TLS, Reason: "r" + markup, Code: hmp.Code("c" + markup), Details: hmp.Details{ServiceMessages: new(1), MessageTexts: []string{"m" + markup}},
				Exchanges: []hmp.Exchange{{Method: "GET", Result: hmp.TLS, StatusCode: 200, Request: hmp.RedactedHeader("N" + markup + ": v" + markup + "\n"), Response: hmp.RedactedHeader("N" + markup + "\n")}},
			},
		}
		return pageOf(t, strings.NewReplacer("T", url.QueryEscape("t"+markup), "S", url.QueryEscape("s"+markup)).Replace(path), result)
	}
	for _, path := range []string{"/", "/session?target=T&session=S"} {
		safe, got := pageWith(path, ""), pageWith(path, markup)
		if diff := cmp.Diff(safe.content(), got.content()); diff != "" {
			t.Errorf("%s: markup has made elements or attributes (-without +with):\n%s", path, diff)
		}
		for _, part := range []string{"v", "t", "s", "r", "m"} {
			if !strings.Contains(text(got.root), part+strings.Join(strings.Fields(markup), " ")) {
				t.Errorf("%s: the text %q is not there as it is", path, part)
			}
		}
		for _, link := range got.links() {
			if strings.ContainsAny(link, `<>"' `) || strings.Count(link, "session=") > 1 {
				t.Errorf("%s: the link %q is not escaped", path, link)
			}
		}
	}
	for _, path := range []string{"/", "/session?target=t0&session=valid", "/runbook"} {
		page := pageOf(t, path, everyResult()...)
		for name, n := range page.content() {
			if slices.Contains([]string{"style", "img", "iframe", "base", "object"}, name) || strings.HasPrefix(name, "on") {
				t.Errorf("%s has %d times %s", path, n, name)
			}
		}
		for script := range all(page.root, "script") {
			if attribute(script, "src") != "live.js" || script.FirstChild != nil || path == "/runbook" {
				t.Errorf("%s has a script that is not the program's", path)
			}
		}
	}
}

// A page is an answer, parsed as a browser does it.
type page struct{ root *html.Node }

func (r reply) page(t *testing.T) page {
	t.Helper()
	root, err := html.Parse(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	return page{root}
}

// pageOf returns a page of an exporter with results.
func pageOf(t *testing.T, path string, results ...collector.Result) page {
	t.Helper()
	r := serve(t, newHandler(t, &fake{results: results}), http.MethodGet, path)
	r.want(t, http.StatusOK)
	return r.page(t)
}

// all returns the elements of some kinds.
func all(root *html.Node, kinds ...string) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && slices.Contains(kinds, n.Data) && !yield(n) {
				return
			}
		}
	}
}

// text returns what a reader sees of an element, on one line.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode:
			b.WriteString(d.Data)
		case d.Data == "br":
			b.WriteString("\n")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// rows returns the cells of the table of sessions.
func (p page) rows() [][]string {
	var rows [][]string
	for body := range all(p.root, "tbody") {
		for tr := range all(body, "tr") {
			var cells []string
			for cell := range all(tr, "td", "th") {
				cells = append(cells, text(cell))
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

func (p page) links() []string {
	var links []string
	for a := range all(p.root, "a") {
		links = append(links, attribute(a, "href"))
	}
	return links
}

// content counts the elements and attributes by name.
func (p page) content() map[string]int {
	count := make(map[string]int)
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode {
			count[n.Data]++
			for _, a := range n.Attr {
				count[a.Key]++
			}
		}
	}
	return count
}
