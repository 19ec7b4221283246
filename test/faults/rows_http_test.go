package faults

import (
	"fmt"
	"slices"
	"strings"

	"hmp_exporter/internal/hmp"
)

func httpRows() []row {
	whole := response(200, session())
	return slices.Concat([]row{
		{name: "an answer that is not HTTP", script: answers("220 mail.test ESMTP ready\r\n\r\n"), want: failed(hmp.Protocol, 1)},
		{name: "an answer of HTTP/0.9", script: answersThen("<html>hello</html>", (*peer).closeTCP), want: failed(hmp.Protocol, 1)},
		{name: "an answer of HTTP/1.0", script: answersThen("HTTP/1.0 200 OK\r\n\r\n"+session(), (*peer).closeTCP), want: healthy()},
		{name: "an HTTP/2 answer to an HTTP/1.1 request", script: answersThen("\x00\x00\x00\x04\x00\x00\x00\x00\x00", (*peer).hang), want: failed(hmp.Timeout, 1).lasts()},
		{name: "a status that is a word", script: answers("HTTP/1.1 fine\r\n\r\n"), want: failed(hmp.Protocol, 1)},
		{name: "a status of four digits", script: answers("HTTP/1.1 2000 OK\r\n\r\n"), want: failed(hmp.Protocol, 1)},
		{name: "a header without a colon", script: answers("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), want: failed(hmp.Protocol, 1)},
		{name: "a header with a NUL", script: answers("HTTP/1.1 200 OK\r\nX\x00: y\r\n\r\n"), want: failed(hmp.Protocol, 1)},

		{name: "endless headers", script: endlessHeaders(), want: failed(hmp.Protocol, 1)},
		{name: "an endless header", script: onRequest(func(p *peer) { p.write("HTTP/1.1 200 OK\r\nX-Filler: "); p.repeat(strings.Repeat("x", 4096), -1) }), want: failed(hmp.Protocol, 1)},
		{name: "an endless status line", script: onRequest(func(p *peer) { p.write("HTTP/1.1 200 "); p.repeat(strings.Repeat("K", 4096), -1) }), want: failed(hmp.Protocol, 1)},
		{name: "two thousand headers of 60 bytes", script: ok(session(), filler(2000)...), want: failed(hmp.Protocol, 1)},
		{name: "a hundred headers of 60 bytes", script: ok(session(), filler(100)...), want: healthy()},

		{name: "100 informational responses, and then a session", script: answers(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 100) + whole), want: healthy()},
		{name: "endless informational responses", script: onRequest(func(p *peer) { p.repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", -1) }), want: failed(hmp.Protocol, 1)},
		{name: "100 Continue without a final response", script: answersThen("HTTP/1.1 100 Continue\r\n\r\n", (*peer).hang), want: failed(hmp.Timeout, 1).lasts()},
		{name: "101 Switching Protocols", script: answersThen("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", (*peer).hang), want: answered(hmp.HTTPError, 101)},
		{name: "two answers to one request", script: answers(whole + whole), want: healthy()},
	}, statusRows())
}

// filler returns n headers of 60 bytes.
func filler(n int) []string {
	headers := make([]string, n)
	for i := range headers {
		headers[i] = fmt.Sprintf("X-Filler-%04d: %s", i, strings.Repeat("x", 43))
	}
	return headers
}

// statusRows has statuses that HMP does not send, with the usual headers and bodies.
func statusRows() []row {
	const html = "<html><head><title>Sorry</title></head><body><h1>Sorry</h1></body></html>"
	// A login with this answer succeeds, and the GET fails.
	failsAfterLogin := func(status int) *result { w := answered(hmp.HTTPError, status); w.Connections = 2; return &w }
	return []row{
		{name: "204", script: answers("HTTP/1.1 204 No Content\r\n\r\n"), want: answered(hmp.HTTPError, 204)},
		{name: "206 with a session", script: answers(response(206, session(), "Content-Range: bytes 0-1/2")), want: answered(hmp.HTTPError, 206), wantWithKey: failsAfterLogin(206)},
		{name: "201 with a session", script: answers(response(201, session())), want: answered(hmp.HTTPError, 201), wantWithKey: failsAfterLogin(201)},
		{name: "403 with HTML", script: page(403, html), want: answered(hmp.HTTPError, 403)},
		{name: "404 with HTML", script: page(404, html), want: answered(hmp.EndpointMissing, 404)},
		{name: "401 with HTML", script: page(401, html), want: answered(hmp.Unauthorized, 401)},
		{name: "407 from the HMP itself", script: page(407, html, "Proxy-Authenticate: Basic realm=proxy"), want: answered(hmp.HTTPError, 407)},
		{name: "429 with Retry-After", script: page(429, html, "Retry-After: 120"), want: answered(hmp.HTTPError, 429)},
		{name: "429 with an invalid Retry-After", script: page(429, html, "Retry-After: "+strings.Repeat("9", 400)), want: answered(hmp.HTTPError, 429)},
		{name: "500 with HTML", script: page(500, html), want: answered(hmp.HTTPError, 500)},
		{name: "502 with a proxy's HTML", script: page(502, html), want: answered(hmp.HTTPError, 502)},
		{name: "503 with a proxy's HTML", script: page(503, html, "Retry-After: 5"), want: answered(hmp.HTTPError, 503)},
		{name: "999", script: answers("HTTP/1.1 999 Request Denied\r\nContent-Length: 0\r\n\r\n"), want: answered(hmp.HTTPError, 999)},
	}
}
