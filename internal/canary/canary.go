// Package canary finds secrets in the output of tests. Every secret in a test contains
// [Word], and so does every text that identifies a user. Tests search the output of the
// product for it: a log with [NewLog], pages and metrics with [Transport], any other text or
// value with [Check] and [CheckValue].
package canary

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

// Word is a part of every secret, and of no other text.
const Word = "CANARY"

// forms are Word as encoders write it: Basic authentication, a dump of bytes, verbs of fmt.
var forms = func() []string {
	inHex, bytes := hex.EncodeToString([]byte(Word)), strings.Trim(fmt.Sprint([]byte(Word)), "[]")
	list := []string{Word, inHex, strings.ToUpper(inHex), fmt.Sprintf("% x", Word), bytes, strings.ReplaceAll(bytes, " ", ",")}
	for before, first := range []int{0, 2, 3} {
		// Base64 differs at each of three places. Leave out the characters that the
		// neighbours of the word change.
		text := base64.RawStdEncoding.EncodeToString([]byte("xxx"[:before] + Word + "xxx"))
		list = append(list, text[first:(before+len(Word))*8/6])
	}
	return list
}()

// Find returns a secret and a few characters before it, or "" if the text has none.
func Find(text string) string {
	for _, form := range forms {
		if at := strings.Index(text, form); at >= 0 {
			return text[max(0, at-60) : at+len(form)]
		}
	}
	return ""
}

// Check fails the test if a text has a secret.
func Check(t testing.TB, what, text string) {
	t.Helper()
	if found := Find(text); found != "" {
		t.Errorf("%s tells a secret: …%s", what, found)
	}
}

// CheckValue checks a value as each verb of fmt prints it.
func CheckValue(t testing.TB, what string, value any) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		Check(t, what+" as "+verb, fmt.Sprintf(verb, value))
	}
}

// A Log is what a logger writes to. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// NewLog returns an empty log. It is checked when the test ends.
func NewLog(t testing.TB) *Log {
	t.Helper()
	l := new(Log)
	t.Cleanup(func() { Check(t, "the log", l.String()) })
	return l
}

// Write implements [io.Writer].
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Transport checks the headers, bodies and errors that come from next. It reads each body to
// its end first.
func Transport(t testing.TB, next http.RoundTripper) http.RoundTripper { return transport{t, next} }

type transport struct {
	t    testing.TB
	next http.RoundTripper
}

func (w transport) RoundTrip(req *http.Request) (*http.Response, error) {
	what := req.Method + " " + req.URL.Path
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		Check(w.t, "the error of "+what, err.Error())
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), iotest.ErrReader(cmp.Or(err, io.EOF))))
	if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
		body, _ = io.ReadAll(z)
	}
	Check(w.t, "the header of "+what, fmt.Sprint(resp.Header, resp.Trailer))
	Check(w.t, what, string(body))
	return resp, nil
}
