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
	{"another port", func(s *setup) string { return "http://" + s.trap("127.0.0.1:0").address() + "/elsewhere" }},
	{"another host", func(s *setup) string { return "http://" + s.trap("127.0.0.2:0").address() + "/elsewhere" }},
	{"another scheme", func(s *setup) string {
		return "https://" + s.other("127.0.0.1:0", goodTLS(), good()).address() + "/elsewhere"
	}},
	{"another port, with user and password", func(s *setup) string {
		return "http://user:password@" + s.trap("127.0.0.1:0").address() + "/elsewhere"
	}},
}

// trap starts a server that would receive a secret in clear text.
func (s *setup) trap(address string) *server { return s.other(address, nil, good()) }

func redirectRows() []row {
	var rows []row
	for _, l := range destinations {
		for _, status := range []int{301, 302, 303, 307, 308} {
			rows = append(rows, row{
				name: fmt.Sprintf("%d to %s", status, l.where),
				line: "301, 302, 303, 307 or 308 to " + l.where,
				set:  pointing("Location: %s", func(header string) script { return page(status, "", header) }, l.url),
				want: answered(hmp.Redirect, status),
			})
		}
	}
	another := destinations[1].url
	with := func(status int) func(string) script {
		return func(header string) script { return page(status, "", header) }
	}
	aSession := func(header string) script { return ok(session(), header) }
	return slices.Concat(rows, []row{
		{name: "301 without a Location", script: page(301, ""), want: answered(hmp.Redirect, 301)},
		{name: "302 to itself", set: pointing("Location: %s", with(302), func(s *setup) string { return s.url + path }), want: answered(hmp.Redirect, 302)},
		{name: "302 to an invalid URL", script: page(302, "", "Location: http://[::1/%zz"), want: answered(hmp.Redirect, 302)},
		{name: "302 to a file", script: page(302, "", "Location: file:///etc/passwd"), want: answered(hmp.Redirect, 302)},
		{name: "300 with Location and Alternates", set: pointing("Location: %s", with(300), another), want: answered(hmp.Redirect, 300)},
		{name: "304", script: answers("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"), want: answered(hmp.Redirect, 304)},
		{name: "305 Use Proxy", set: pointing("Location: %s", with(305), another), want: answered(hmp.Redirect, 305)},
		{name: "399 with Location", set: pointing("Location: %s", with(399), another), want: answered(hmp.Redirect, 399)},
		{name: "200 with a page and a Refresh header", set: pointing("Refresh: 0; url=%s", func(header string) script {
			return page(200, "<html></html>", header)
		}, another), want: answered(hmp.BadPayload, 200)},
		{name: "a session with Refresh", set: pointing("Refresh: 0; url=%s", aSession, another), want: healthy()},
		{name: "a session with Location", set: pointing("Location: %s", aSession, another), want: healthy()},
		{name: "a session with Content-Location", set: pointing("Content-Location: %s", aSession, another), want: healthy()},
		{name: "a session with Link", set: pointing("Link: <%s>; rel=preload", aSession, another), want: healthy()},
		{name: "a session with Alt-Svc", set: alternative, want: healthy().certificate()},
		{name: "503 with Location", set: pointing("Location: %s", with(503), another), want: answered(hmp.HTTPError, 503)},
		{name: "401 with WWW-Authenticate", set: pointing(`WWW-Authenticate: Basic realm="%s"`, with(401), another), want: answered(hmp.Unauthorized, 401)},
		{name: "401 with Negotiate and NTLM", script: page(401, "", "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM"), want: answered(hmp.Unauthorized, 401)},
		{name: "407 with Proxy-Authenticate", set: pointing(`Proxy-Authenticate: Basic realm="%s"`, with(407), another), want: answered(hmp.HTTPError, 407)},
	})
}

// path is the path of the session.
const path = "/apis/authentication/login/key"

// pointing answers with a header that contains another URL.
func pointing(format string, answer func(header string) script, elsewhere func(s *setup) string) func(*setup) {
	return func(s *setup) {
		var sc script
		known := make(chan struct{}) // the URL of the target, which the answer may need
		s.target(func(p *peer) { <-known; sc(p) })
		sc = answer(fmt.Sprintf(format, elsewhere(s)))
		close(known)
	}
}

// alternative answers with Alt-Svc.
func alternative(s *setup) {
	trap := s.other("127.0.0.1:0", goodTLS(), good()).address()
	s.secure = true
	s.target(ok(session(), fmt.Sprintf(`Alt-Svc: h2=%q; ma=3600, h3=%[1]q; ma=3600`, trap)))
}
