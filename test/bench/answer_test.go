package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// exposition is a page of /metrics with two sessions, the second one with a value.
func exposition(second string) string {
	return "# TYPE hmp_session_valid gauge\n" +
		`hmp_session_valid{session="s00000",target="bench"} 1.0` + "\n" +
		`hmp_session_valid{session="s00001",target="bench"} ` + second + "\n" +
		"# EOF\n"
}

func TestExpectation(t *testing.T) {
	probed := expectation{Samples: map[string]float64{`hmp_session_valid{session="{session}",target="bench"}`: 1}}
	for _, c := range []struct {
		name   string
		want   expectation
		status int
		body   string
		err    string // "": there is nothing wrong
	}{
		{"valid", probed, 200, exposition("1"), ""},
		{"valid, of OpenMetrics", probed, 200, exposition("1.0"), ""},
		{"not valid", probed, 200, exposition("0"), "it is 0, want 1"},
		{"not a number", probed, 200, exposition("one"), "invalid syntax"},
		{"another session", probed, 200, strings.ReplaceAll(exposition("1"), "s00001", "s00011"), "it is not there"},
		{"empty", probed, 200, "", "it is not there"},
		{"an error", probed, 503, exposition("1"), "503"},
		{"all sessions", expectation{Sessions: 2}, 200, exposition("1.0"), ""},
		{"one of them not valid", expectation{Sessions: 2}, 200, exposition("0.0"), "session s00001 is not valid"},
		{"one of them missing", expectation{Sessions: 3}, 200, exposition("1.0"), "session s00002 is missing"},
		{"one too many", expectation{Sessions: 1}, 200, exposition("1.0"), "there are 2 sessions, want 1"},
		{"a message each", expectation{Lines: map[string]int{"hmp_session_valid{": 2}}, 200, exposition("1"), ""},
		{"a message too few", expectation{Lines: map[string]int{"hmp_session_valid{": 3}}, 200, exposition("1"), "2 lines begin with hmp_session_valid{, want 3"},
		{"large", expectation{Bytes: 100}, 200, exposition("1"), ""},
		{"cut off", expectation{Bytes: 1000}, 200, exposition("1"), "bytes, want 1"},
	} {
		for _, compressed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/gzip=%t", c.name, compressed), func(t *testing.T) {
				if compressed && c.want.Bytes > 0 {
					c.want.Bytes /= 10 // it is the size as it was sent
				}
				resp := response(c.status, c.body, compressed)
				defer resp.Body.Close()
				a, err := readAnswer(resp, false)
				if err != nil {
					t.Fatal(err)
				}
				err = c.want.check(a, "s00001")
				if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %q", err, c.err)
				}
			})
		}
	}
}

func response(status int, body string, compressed bool) *http.Response {
	header := make(http.Header)
	var sent bytes.Buffer
	sent.WriteString(body)
	if compressed {
		header.Set("Content-Encoding", "gzip")
		sent.Reset()
		w := gzip.NewWriter(&sent)
		_, _ = io.WriteString(w, body)
		_ = w.Close()
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: header, Body: io.NopCloser(&sent)}
}
