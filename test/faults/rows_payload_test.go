package faults

import (
	"fmt"
	"net/http"
	"strings"

	"hmp_exporter/internal/hmp"
)

func payloadRows() []row {
	bad := answered(hmp.BadPayload, 200)
	deep := func(n int, closed bool) string {
		text := strings.Repeat("[", n)
		if closed {
			text += strings.Repeat("]", n)
		}
		return text
	}
	list := func(value string) script { return ok(session("serviceMessages", value)) }
	digits := strings.Repeat("9", 1000)
	return []row{
		{name: "HTML", script: page(200, "<!DOCTYPE html><html><body>Sign in</body></html>"), want: bad},
		{name: "an empty body", script: ok(""), want: bad},
		{name: "white space", script: ok(" \r\n\t"), want: bad},
		{name: "null", script: ok("null"), want: bad},
		{name: "an array", script: ok("[" + session() + "]"), want: bad},
		{name: "an empty object", script: ok("{}"), want: bad},
		{name: "data is missing", script: ok(`{"session":{}}`), want: bad},
		{name: "data is null", script: ok(`{"data":null}`), want: bad},
		{name: "data is an array", script: ok(`{"data":[{}]}`), want: bad},
		{name: "data is empty", script: ok(`{"data":{}}`), want: valid(), noToken: true},
		{name: "data twice, the last is a session", script: ok(`{"data":null,` + session()[1:]), want: healthy()},
		{name: "data twice, the last is null", script: ok(strings.TrimSuffix(session(), "}") + `,"data":null}`), want: bad},
		{name: "data with its name escaped", script: ok(strings.Replace(session(), "data", `d\u0061ta`, 1)), want: healthy()},
		{name: "Data with a capital", script: ok(strings.Replace(session(), "data", "Data", 1)), want: bad},

		{name: "JSON with a byte order mark", script: ok("\xef\xbb\xbf" + session()), want: healthy()},
		{name: "JSON in UTF-16", script: ok(utf16(session())), want: bad},
		{name: "two documents", script: ok(session() + session()), want: bad},
		{name: "a session and garbage", script: ok(session() + "<!-- served by proxy -->"), want: bad},
		{name: "a session and a NUL", script: ok(session() + "\x00"), want: bad},
		{name: "a trailing comma", script: ok(`{"data":{"admin":true,}}`), want: bad},
		{name: "NaN", script: ok(session("numLoginFailures", "NaN")), want: bad},
		{name: "JSON with the type text/html", script: page(200, session()), want: healthy()},
		{name: "a megabyte of white space before the session", script: ok(strings.Repeat(" ", 1<<20) + session()), want: healthy(), heavy: true},
		{name: "a name of a megabyte", script: ok(session(strings.Repeat("x", 1<<20), "1")), want: healthy(), heavy: true},
		{name: "a hundred thousand unknown fields", script: ok(session("map", "{"+strings.Repeat(`"a":1,`, 100_000)+`"b":2}`)), want: healthy(), heavy: true},

		{name: "200 thousand nested arrays", script: ok(session("deep", deep(200_000, true))), want: healthy(), heavy: true},
		{name: "200 thousand nested arrays that do not end", script: ok(`{"data":{"deep":` + deep(200_000, false)), want: bad, heavy: true},
		{name: "200 thousand nested arrays for data", script: ok(`{"data":` + deep(200_000, true) + "}"), want: bad, heavy: true},
		{name: "200 thousand nested objects", script: ok(session("deep", strings.Repeat(`{"a":`, 200_000)+"1"+strings.Repeat("}", 200_000))), want: healthy(), heavy: true},
		{name: "two million nested arrays", script: ok(session("deep", deep(2_000_000, true))), want: bad, heavy: true},

		{name: "numbers of a thousand digits", script: ok(session("numLoginFailures", digits, "big", "-"+digits+"."+digits+"e"+digits)), want: healthy()},
		{name: "an exponent of a thousand digits", script: ok(session("numLoginFailures", "1e"+digits)), want: healthy()},

		{name: "serviceMessages is empty", script: list("[]"), want: valid().messages(0)},
		{name: "serviceMessages with other types than strings", prepare: texts(`[null,true,3,{"text":"x"},["y"],"one"]`), want: valid().messages(6)},
		{name: "serviceMessages twice, the last counts", script: ok(session("serviceMessages", `["a"]`, "serviceMessages", `["b","c","d"]`)), want: valid().messages(3)},
		{name: "messages with invalid UTF-8", prepare: texts("[\"\xff\xfe\",\"a\xc0\xafb\",\"\xed\xa0\x80\"]"), want: valid().messages(3)},
		{name: "messages with NUL and control characters, escaped", prepare: texts(`["a\u0000b","\u001b[31mred","a\r\nb","\u0085\u2028\u202e"]`), want: valid().messages(4)},
		{name: "messages with incomplete surrogate pairs", prepare: texts(`["\ud800","\udc00\ud800"]`), want: valid().messages(2)},
		{name: "messages with quotes, backslashes and markup", prepare: texts(`["\"}\n# HELP x","\\\\","<script>alert(1)</script>","{{ $value }}"]`), want: valid().messages(4)},
		{name: "a message with an unescaped control character", prepare: texts("[\"a\x01b\"]"), want: bad},
		{name: "a message with an unescaped NUL", prepare: texts("[\"a\x00b\"]"), want: bad},
		{name: "a message with an invalid escape", prepare: texts(`["a\xb"]`), want: bad},
		{name: "the same message a hundred times", prepare: texts(repeated(`"one"`, 100)), want: valid().messages(100)},
		{name: "25 messages of 1000 characters of four bytes", prepare: texts(numbered(25, strings.Repeat("\U0001F600", 1000))), want: valid().messages(25)},
		{name: "25 messages of 1000 quotes", prepare: texts(numbered(25, strings.Repeat(`\"`, 1000))), want: valid().messages(25)},
		{name: "a million messages", prepare: many(`,"more"`, 999_999), want: valid().messages(1_000_000), heavy: true},
		{name: "a message of 8 MB", prepare: long(8 << 20), want: valid().messages(1), heavy: true},
	}
}

// texts sets the service messages and exports their texts.
func texts(serviceMessages string) func(*setup) {
	return func(s *setup) {
		s.configure("service_message_text: true")
		s.target(ok(session("serviceMessages", serviceMessages)))
	}
}

// many sends a service message and n more.
func many(more string, n int) func(*setup) {
	return streamed(`["one"`, strings.Repeat(more, 1000), len(more)*n, "]")
}

// long sends a service message with that many bytes.
func long(bytes int) func(*setup) {
	return streamed(`["`, strings.Repeat("long ", 1000), bytes, `"]`)
}

// streamed sends service messages in small pieces, so that the server needs little memory.
func streamed(begin, repeat string, total int, end string) func(*setup) {
	return func(s *setup) {
		s.configure("service_message_text: true")
		before, after, _ := strings.Cut(session("serviceMessages", "[]"), `"serviceMessages":[]`)
		before += `"serviceMessages":` + begin
		length := len(before) + total + len(end) + len(after)
		s.target(eachRequest(func(p *peer, _ *http.Request) {
			p.write(head(200, fmt.Sprintf("Content-Length: %d", length)) + before)
			p.repeat(repeat, total)
			p.write(end + after)
		}))
	}
}

func repeated(value string, n int) string {
	return "[" + strings.TrimSuffix(strings.Repeat(value+",", n), ",") + "]"
}

// numbered returns a list of n strings. Each begins with its number.
func numbered(n int, text string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"%d%s"`, i, text)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// utf16 encodes an ASCII text in UTF-16.
func utf16(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteString("\x00" + text[i:i+1])
	}
	return b.String()
}
