package faults

import (
	"fmt"
	"slices"

	"hmp_exporter/internal/hmp"
)

// destinations are URLs of servers to which a redirect may lead. They must not get a connection.
var destinations = []struct {
	where string
	url   func(s *setup) string
}{
	{"the same host", func(s *setup) string { return s.url + "/elsewhere" }},
	{"another port", func(s *setup) string { return "http://" + s.trap(anyPort).address() + "/elsewhere" }},
	{"another host", func(s *setup) string { return "http://" + s.trap("127.0.0.2:0").address() + "/elsewhere" }},
	{"another scheme", func(s *setup) string {
		return "https://" + s.other(anyPort, goodTLS(), good()).address() + "/elsewhere"
	}},
	{"another port, with user and password", func(s *setup) string {
		return "http://user:password@" + s.trap(anyPort).address() + "/elsewhere"
	}},
}

// trap starts a server that would receive a secret in clear text.
func (s *setup) trap(address string) *server { return s.other(address, nil, good()) }

func redirectRows() []row {
	withStatus := func(status int) func(string) script {
		return func(header string) script { return page(status, "", header) }
	}
	var rows []row
	for _, d := range destinations {
		for _, status := range []int{301, 302, 303, 307, 308} {
			rows = append(rows, row{
				name:    fmt.Sprintf("%d to %s", status, d.where),
				line:    "301, 302, 303, 307 or 308 to " + d.where,
				prepare: urlHeader("Location: %s", withStatus(status), d.url),
				want:    answered(hmp.Redirect, status),
			})
		}
	}
	another := destinations[1].url
	withSession := func(header string) script { return ok(session(), header) }
	return slices.Concat(rows, []row{
		{name: "301 without a Location", script: page(301, ""), want: answered(hmp.Redirect, 301)},
		{name: "302 to itself", prepare: urlHeader("Location: %s", withStatus(302), func(s *setup) string { return s.url + path }), want: answered(hmp.Redirect, 302)},
		{name: "302 to an invalid URL", script: page(302, "", "Location: http://[::1/%zz"), want: answered(hmp.Redirect, 302)},
		{name: "302 to a file", script: page(302, "", "Location: file:///etc/passwd"), want: answered(hmp.Redirect, 302)},
		{name: "300 with Location and Alternates", prepare: urlHeader("Location: %s", withStatus(300), another), want: answered(hmp.Redirect, 300)},
		{name: "304", script: answers("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"), want: answered(hmp.Redirect, 304)},
		{name: "305 Use Proxy", prepare: urlHeader("Location: %s", withStatus(305), another), want: answered(hmp.Redirect, 305)},
		{name: "399 with Location", prepare: urlHeader("Location: %s", withStatus(399), another), want: answered(hmp.Redirect, 399)},
		{name: "200 with a page and a Refresh header", prepare: urlHeader("Refresh: 0; url=%s", func(header string) script {
			return page(200, "<html></html>", header)
		}, another), want: answered(hmp.BadPayload, 200)},
		{name: "a session with Refresh", prepare: urlHeader("Refresh: 0; url=%s", withSession, another), want: healthy()},
		{name: "a session with Location", prepare: urlHeader("Location: %s", withSession, another), want: healthy()},
		{name: "a session with Content-Location", prepare: urlHeader("Content-Location: %s", withSession, another), want: healthy()},
		{name: "a session with Link", prepare: urlHeader("Link: <%s>; rel=preload", withSession, another), want: healthy()},
		{name: "a session with Alt-Svc", prepare: alternative, want: healthy().certificate()},
		{name: "503 with Location", prepare: urlHeader("Location: %s", withStatus(503), another), want: answered(hmp.HTTPError, 503)},
		{name: "401 with WWW-Authenticate", prepare: urlHeader(`WWW-Authenticate: Basic realm="%s"`, withStatus(401), another), want: answered(hmp.Unauthorized, 401)},
		{name: "401 with Negotiate and NTLM", script: page(401, "", "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM"), want: answered(hmp.Unauthorized, 401)},
		{name: "407 with Proxy-Authenticate", prepare: urlHeader(`Proxy-Authenticate: Basic realm="%s"`, withStatus(407), another), want: answered(hmp.HTTPError, 407)},
	})
}

// path is the path of the session.
const path = "/apis/authentication/login/key"

// urlHeader answers with a header that contains a URL.
func urlHeader(format string, answer func(header string) script, url func(s *setup) string) func(*setup) {
	return func(s *setup) {
		var sc script
		known := make(chan struct{}) // the URL of the target, which the answer may need
		s.target(func(p *peer) { <-known; sc(p) })
		sc = answer(fmt.Sprintf(format, url(s)))
		close(known)
	}
}

// alternative answers with Alt-Svc.
func alternative(s *setup) {
	trap := s.other(anyPort, goodTLS(), good()).address()
	s.secure = true
	s.target(ok(session(), fmt.Sprintf(`Alt-Svc: h2=%q; ma=3600, h3=%[1]q; ma=3600`, trap)))
}
