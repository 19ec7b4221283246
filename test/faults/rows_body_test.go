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
		{name: "the body is cut short", script: answersThen(response(200, body)[:300], (*peer).closeTCP), want: bad},
		{name: "the body without a length is cut short", script: answersThen(head(200)+body[:100], (*peer).closeTCP), want: bad},
		{name: "the body in chunks is cut short", script: answersThen(head(200, chunked)+chunk(body[:100]), (*peer).closeTCP), want: bad},
		{name: "the last chunk is missing", script: answersThen(head(200, chunked)+chunk(body), (*peer).closeTCP), want: bad},
		{name: "the body in chunks, each of one byte", script: answers(head(200, chunked) + strings.Join(oneByteChunks(body), "") + "0\r\n\r\n"), want: healthy()},

		{name: "Content-Length is too large", script: answersThen(head(200, fmt.Sprintf("Content-Length: %d", len(body)+1))+body, (*peer).closeTCP), want: bad},
		{name: "Content-Length is too large, the connection stays open", script: answersThen(head(200, fmt.Sprintf("Content-Length: %d", len(body)+1))+body, (*peer).hang), want: answered(hmp.Timeout, 200).lasts()},
		{name: "Content-Length is too small", script: answers(head(200, "Content-Length: 20") + body), want: bad},
		{name: "Content-Length is 0", script: answers(head(200, "Content-Length: 0") + body), want: bad},
		{name: "Content-Length is negative", script: answers(head(200, "Content-Length: -1") + body), want: failed(hmp.Protocol, 1)},
		{name: "Content-Length is not a number", script: answers(head(200, "Content-Length: many") + body), want: failed(hmp.Protocol, 1)},
		{name: "two different Content-Length headers", script: answers(head(200, "Content-Length: 20", "Content-Length: 30") + body), want: failed(hmp.Protocol, 1)},
		{name: "Content-Length is larger than max_body_size", script: answers(head(200, "Content-Length: 9000000000000000000") + body), want: bad},
		{name: "Content-Length and chunks", script: answers(head(200, chunked, "Content-Length: 3") + chunk(body) + "0\r\n\r\n"), want: healthy()},

		{name: "a chunk size that is not a number", script: answers(head(200, chunked) + "many\r\n" + body), want: bad},
		{name: "a chunk of 16 exabytes", script: answersThen(head(200, chunked)+"ffffffffffffffff\r\n"+body, (*peer).closeTCP), want: bad},
		{name: "an endless chunk extension", script: onRequest(func(p *peer) { p.write(head(200, chunked) + "1;"); p.repeat(spaces, -1) }), want: bad},
		{name: "endless trailers", script: onRequest(func(p *peer) {
			p.write(head(200, chunked) + chunk(body) + "0\r\n")
			p.repeat("X-Filler: 0123456789\r\n", -1)
		}), want: bad},
		{name: "an unknown Transfer-Encoding", script: answers(head(200, "Transfer-Encoding: brotli") + body), want: failed(hmp.Protocol, 1)},

		{name: "gzip without a request for it", script: ok(gzipped(body), "Content-Encoding: gzip"), want: bad},
		{name: "gzip in the transfer encoding", script: answers(head(200, "Transfer-Encoding: gzip, chunked") + chunk(body) + "0\r\n\r\n"), want: failed(hmp.Protocol, 1)},
		{name: "a gzip bomb of 64 MB", prepare: gzipBomb, want: bad},

		{name: "an endless body of spaces, max_body_size 1MiB", prepare: limited("1MiB", func(p *peer) { p.write(head(200)); p.repeat(spaces, -1) }), want: bad, heavy: true},
		{name: "an endless body of spaces, max_body_size 8MiB", prepare: limited("8MiB", func(p *peer) { p.write(head(200)); p.repeat(spaces, -1) }), want: bad, heavy: true},
		{name: "an endless string", prepare: limited("1MiB", func(p *peer) { p.write(head(200) + `{"data":{"authToken":"`); p.repeat(strings.Repeat("x", 4096), -1) }), want: bad, heavy: true},
		{name: "an endless list", prepare: limited("1MiB", func(p *peer) { p.write(head(200) + `{"data":{"serviceMessages":["one"`); p.repeat(`,"more"`, -1) }), want: bad, heavy: true},
		{name: "an endless name", prepare: limited("1MiB", func(p *peer) { p.write(head(200) + `{"data":{"`); p.repeat(strings.Repeat("x", 4096), -1) }), want: bad, heavy: true},
		{name: "an endless number", prepare: limited("1MiB", func(p *peer) {
			p.write(head(200) + `{"data":{"numLoginFailures":1`)
			p.repeat(strings.Repeat("0", 4096), -1)
		}), want: bad, heavy: true},
		{name: "an endless body in chunks of one byte", prepare: limited("1MiB", func(p *peer) { p.write(head(200, chunked)); p.repeat(strings.Repeat("1\r\n \r\n", 1000), -1) }), want: bad, heavy: true},
		{name: "an endless body of a 401", script: onRequest(func(p *peer) { p.write(head(401)); p.repeat(spaces, -1) }), want: answered(hmp.Unauthorized, 401)},
		{name: "an endless body of a 502", script: onRequest(func(p *peer) { p.write(head(502)); p.repeat(spaces, -1) }), want: answered(hmp.HTTPError, 502)},
		{name: "a body of 302 that stalls", script: answersThen(head(302, "Location: /", "Content-Length: 10"), (*peer).hang), want: answered(hmp.Redirect, 302)},
		{name: "a body of 401 that stalls", script: answersThen(head(401, "Content-Length: 10"), (*peer).hang), want: answered(hmp.Timeout, 401).lasts()},
	}
}

// limited sets max_body_size.
func limited(size string, then func(p *peer)) func(*setup) {
	return func(s *setup) {
		s.configure("max_body_size: %s", size)
		s.target(onRequest(then))
	}
}

func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

// oneByteChunks returns a text in chunks of one byte.
func oneByteChunks(text string) []string {
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

// gzipBomb answers with a gzip bomb.
func gzipBomb(s *setup) { s.target(ok(bomb(), "Content-Encoding: gzip")) }

// bomb has 64 MB of spaces in 64 kB: 64 members of one megabyte each.
var bomb = sync.OnceValue(func() string { return strings.Repeat(gzipped(strings.Repeat(" ", 1<<20)), 64) })
