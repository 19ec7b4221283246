package faults

import (
	"fmt"
	"slices"

	"hmp_exporter/internal/hmp"
)

// Where a secret could be lured to. Each makes a URL of the far side that it leads to,
// which has to see no connection at all.
var lures = []struct {
	where string
	url   func(s *stage) string
}{
	{"the same host", func(s *stage) string { return s.url + "/elsewhere" }},
	{"another port", func(s *stage) string { return "http://" + s.trap("127.0.0.1:0").address() + "/elsewhere" }},
	{"another host", func(s *stage) string { return "http://" + s.trap("127.0.0.2:0").address() + "/elsewhere" }},
	{"another scheme", func(s *stage) string {
		return "https://" + s.other("127.0.0.1:0", goodTLS(), good()).address() + "/elsewhere"
	}},
	{"another port, with user and password", func(s *stage) string {
		return "http://user:password@" + s.trap("127.0.0.1:0").address() + "/elsewhere"
	}},
}

// trap is a far side at which a secret would arrive in clear.
func (s *stage) trap(address string) *farSide { return s.other(address, nil, good()) }

func redirectRows() []row {
	var rows []row
	for _, l := range lures {
		for _, status := range []int{301, 302, 303, 307, 308} {
			rows = append(rows, row{
				name: fmt.Sprintf("%d to %s", status, l.where),
				line: "301, 302, 303, 307 or 308 to " + l.where,
				set:  lured("Location: %s", func(header string) script { return page(status, "", header) }, l.url),
				want: answered(hmp.Redirect, status),
			})
		}
	}
	another := lures[1].url
	with := func(status int) func(string) script {
		return func(header string) script { return page(status, "", header) }
	}
	aSession := func(header string) script { return ok(session(), header) }
	return slices.Concat(rows, []row{
		{name: "301 without a Location", script: page(301, ""), want: answered(hmp.Redirect, 301)},
		{name: "302 to itself", set: lured("Location: %s", with(302), func(s *stage) string { return s.url + path }), want: answered(hmp.Redirect, 302)},
		{name: "302 to what is no URL", script: page(302, "", "Location: http://[::1/%zz"), want: answered(hmp.Redirect, 302)},
		{name: "302 to a file", script: page(302, "", "Location: file:///etc/passwd"), want: answered(hmp.Redirect, 302)},
		{name: "300 with Location and Alternates", set: lured("Location: %s", with(300), another), want: answered(hmp.Redirect, 300)},
		{name: "304", script: says("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"), want: answered(hmp.Redirect, 304)},
		{name: "305 Use Proxy", set: lured("Location: %s", with(305), another), want: answered(hmp.Redirect, 305)},
		{name: "399 with Location", set: lured("Location: %s", with(399), another), want: answered(hmp.Redirect, 399)},
		{name: "200 with a page that refreshes, by header", set: lured("Refresh: 0; url=%s", func(header string) script {
			return page(200, "<html></html>", header)
		}, another), want: answered(hmp.BadPayload, 200)},
		{name: "a session with Refresh", set: lured("Refresh: 0; url=%s", aSession, another), want: valid().messages(goodMessages)},
		{name: "a session with Location", set: lured("Location: %s", aSession, another), want: valid().messages(goodMessages)},
		{name: "a session with Content-Location", set: lured("Content-Location: %s", aSession, another), want: valid().messages(goodMessages)},
		{name: "a session with Link", set: lured("Link: <%s>; rel=preload", aSession, another), want: valid().messages(goodMessages)},
		{name: "a session with Alt-Svc", set: alternative, want: valid().messages(goodMessages).certificate()},
		{name: "503 with Location", set: lured("Location: %s", with(503), another), want: answered(hmp.HTTPError, 503)},
		{name: "401 with WWW-Authenticate", set: lured(`WWW-Authenticate: Basic realm="%s"`, with(401), another), want: answered(hmp.Unauthorized, 401)},
		{name: "401 that negotiates", script: page(401, "", "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM"), want: answered(hmp.Unauthorized, 401)},
		{name: "407 with Proxy-Authenticate", set: lured(`Proxy-Authenticate: Basic realm="%s"`, with(407), another), want: answered(hmp.HTTPError, 407)},
	})
}

// path is that of the session on an HMP.
const path = "/apis/authentication/login/key"

// lured makes the target one that answers with a header which points elsewhere.
func lured(format string, answer func(header string) script, elsewhere func(s *stage) string) func(*stage) {
	return func(s *stage) {
		var sc script
		known := make(chan struct{}) // the target's URL is, which the answer may need
		s.target(func(p *peer) { <-known; sc(p) })
		sc = answer(fmt.Sprintf(format, elsewhere(s)))
		close(known)
	}
}

// alternative makes the target one that names another for what is asked next.
func alternative(s *stage) {
	trap := s.other("127.0.0.1:0", goodTLS(), good()).address()
	s.secure = true
	s.target(ok(session(), fmt.Sprintf(`Alt-Svc: h2=%q; ma=3600, h3=%[1]q; ma=3600`, trap)))
}
