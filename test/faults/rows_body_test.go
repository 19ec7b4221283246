package faults

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"sync"

	"hmp_exporter/internal/hmp"
)

const chunked = "Transfer-Encoding: chunked"

func bodyRows() []row {
	bad := answered(hmp.BadPayload, 200)
	body := session()
	spaces := strings.Repeat(" ", 32<<10)
	return []row{
		{name: "the body is cut short", script: saysAnd(response(200, body)[:300], (*peer).cut), want: bad},
		{name: "the body without a length is cut short", script: saysAnd(head(200)+body[:100], (*peer).cut), want: bad},
		{name: "the body in chunks is cut short", script: saysAnd(head(200, chunked)+chunk(body[:100]), (*peer).cut), want: bad},
		{name: "the last chunk is missing", script: saysAnd(head(200, chunked)+chunk(body), (*peer).cut), want: bad},
		{name: "the body in chunks, each of one byte", script: says(head(200, chunked) + strings.Join(each1(body), "") + "0\r\n\r\n"), want: valid().messages(goodMessages)},

		{name: "Content-Length is too large", script: saysAnd(head(200, fmt.Sprintf("Content-Length: %d", len(body)+1))+body, (*peer).cut), want: bad},
		{name: "Content-Length is too large, and the connection stays", script: saysAnd(head(200, fmt.Sprintf("Content-Length: %d", len(body)+1))+body, (*peer).hold), want: answered(hmp.Timeout, 200).lasts()},
		{name: "Content-Length is too small", script: says(head(200, "Content-Length: 20") + body), want: bad},
		{name: "Content-Length is 0", script: says(head(200, "Content-Length: 0") + body), want: bad},
		{name: "Content-Length is negative", script: says(head(200, "Content-Length: -1") + body), want: failed(hmp.Protocol, 1)},
		{name: "Content-Length is no number", script: says(head(200, "Content-Length: many") + body), want: failed(hmp.Protocol, 1)},
		{name: "Content-Length comes twice and differs", script: says(head(200, "Content-Length: 20", "Content-Length: 30") + body), want: failed(hmp.Protocol, 1)},
		{name: "Content-Length is larger than max_body_size", script: says(head(200, "Content-Length: 9000000000000000000") + body), want: bad},
		{name: "Content-Length beside chunks", script: says(head(200, chunked, "Content-Length: 3") + chunk(body) + "0\r\n\r\n"), want: valid().messages(goodMessages)},

		{name: "a chunk whose size is no number", script: says(head(200, chunked) + "many\r\n" + body), want: bad},
		{name: "a chunk of 16 exabytes", script: saysAnd(head(200, chunked)+"ffffffffffffffff\r\n"+body, (*peer).cut), want: bad},
		{name: "endless text behind the size of a chunk", script: does(func(p *peer) { p.say(head(200, chunked) + "1;"); p.repeat(spaces, -1) }), want: bad},
		{name: "endless trailers", script: does(func(p *peer) {
			p.say(head(200, chunked) + chunk(body) + "0\r\n")
			p.repeat("X-Filler: 0123456789\r\n", -1)
		}), want: bad},
		{name: "a Transfer-Encoding that nobody knows", script: says(head(200, "Transfer-Encoding: brotli") + body), want: failed(hmp.Protocol, 1)},

		{name: "gzip although not asked for", script: ok(gzipped(body), "Content-Encoding: gzip"), want: bad},
		{name: "gzip in the transfer encoding", script: says(head(200, "Transfer-Encoding: gzip, chunked") + chunk(body) + "0\r\n\r\n"), want: failed(hmp.Protocol, 1)},
		{name: "a gzip bomb of 64 MB", set: bombed, want: bad},

		{name: "an endless body of spaces, max_body_size 1MiB", set: limited("1MiB", func(p *peer) { p.say(head(200)); p.repeat(spaces, -1) }), want: bad, heavy: true},
		{name: "an endless body of spaces, max_body_size 8MiB", set: limited("8MiB", func(p *peer) { p.say(head(200)); p.repeat(spaces, -1) }), want: bad, heavy: true},
		{name: "an endless string", set: limited("1MiB", func(p *peer) { p.say(head(200) + `{"data":{"authToken":"`); p.repeat(strings.Repeat("x", 4096), -1) }), want: bad, heavy: true},
		{name: "an endless list", set: limited("1MiB", func(p *peer) { p.say(head(200) + `{"data":{"serviceMessages":["one"`); p.repeat(`,"more"`, -1) }), want: bad, heavy: true},
		{name: "an endless name", set: limited("1MiB", func(p *peer) { p.say(head(200) + `{"data":{"`); p.repeat(strings.Repeat("x", 4096), -1) }), want: bad, heavy: true},
		{name: "an endless number", set: limited("1MiB", func(p *peer) {
			p.say(head(200) + `{"data":{"numLoginFailures":1`)
			p.repeat(strings.Repeat("0", 4096), -1)
		}), want: bad, heavy: true},
		{name: "an endless body in chunks of one byte", set: limited("1MiB", func(p *peer) { p.say(head(200, chunked)); p.repeat(strings.Repeat("1\r\n \r\n", 1000), -1) }), want: bad, heavy: true},
		{name: "an endless body of a 401", script: does(func(p *peer) { p.say(head(401)); p.repeat(spaces, -1) }), want: answered(hmp.Unauthorized, 401)},
		{name: "an endless body of a 502", script: does(func(p *peer) { p.say(head(502)); p.repeat(spaces, -1) }), want: answered(hmp.HTTPError, 502)},
		{name: "a body of 302 that stalls", script: saysAnd(head(302, "Location: /", "Content-Length: 10"), (*peer).hold), want: answered(hmp.Redirect, 302)},
		{name: "a body of 401 that stalls", script: saysAnd(head(401, "Content-Length: 10"), (*peer).hold), want: answered(hmp.Timeout, 401).lasts()},
	}
}

// limited makes the target one of which no more than most is read.
func limited(most string, then func(p *peer)) func(*stage) {
	return func(s *stage) {
		s.set("max_body_size: %s", most)
		s.target(does(then))
	}
}

func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

// each1 is a text in chunks of one byte.
func each1(text string) []string {
	chunks := make([]string, len(text))
	for i := range text {
		chunks[i] = chunk(text[i : i+1])
	}
	return chunks
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// bombed makes the target one that answers with a gzip bomb.
func bombed(s *stage) { s.target(ok(bomb(), "Content-Encoding: gzip")) }

// bomb is 64 MB of spaces in 64 kB: so many members, of one megabyte each.
var bomb = sync.OnceValue(func() string { return strings.Repeat(gzipped(strings.Repeat(" ", 1<<20)), 64) })
