package canary

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// A fakeT is a test that fails.
type fakeT struct {
	testing.TB
	failed  bool
	cleanup func()
}

func (f *fakeT) Errorf(string, ...any) { f.failed = true }
func (f *fakeT) Cleanup(c func())      { f.cleanup = c }

func TestSecretsAreFound(t *testing.T) {
	secret := "token-" + Word + "-1"
	inJSON, err := json.Marshal([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) func(testing.TB) { return func(t testing.TB) { Check(t, "a text", s) } }
	fetch := func(handler http.HandlerFunc) func(testing.TB) {
		return func(fake testing.TB) {
			server := httptest.NewServer(handler)
			defer server.Close()
			client := server.Client()
			client.Transport = Transport(fake, client.Transport)
			if resp, err := client.Get(server.URL); err != nil || resp.Body.Close() != nil {
				t.Error(err)
			}
		}
	}
	for name, check := range map[string]func(testing.TB){
		"as it is":        text("a " + secret + " b"),
		"quoted":          text(fmt.Sprintf("%q", secret)),
		"escaped":         text(url.QueryEscape("ü" + secret)),
		"hexadecimal":     text(fmt.Sprintf("%x", secret)),
		"HEXADECIMAL":     text(fmt.Sprintf("%X", secret)),
		"spaced":          text(fmt.Sprintf("% x", secret)),
		"bytes":           text(fmt.Sprint([]byte(secret))),
		"bytes in JSON":   text(string(inJSON)),
		"base64, place 0": text(base64.StdEncoding.EncodeToString([]byte(secret))),
		"base64, place 1": text(base64.StdEncoding.EncodeToString([]byte("a" + secret))),
		"base64, place 2": text(base64.StdEncoding.EncodeToString([]byte("ab" + secret))),
		"a field":         func(t testing.TB) { CheckValue(t, "a value", struct{ secret []byte }{[]byte(Word)}) },
		"a log":           func(t testing.TB) { _, _ = io.WriteString(NewLog(t), secret) },
		"a header":        fetch(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Secret", secret) }),
		"a body":          fetch(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, secret) }),
	} {
		fake := &fakeT{TB: t, cleanup: func() {}}
		check(fake)
		fake.cleanup()
		if !fake.failed {
			t.Errorf("%s: the secret was not found", name)
		}
	}
	for _, text := range []string{"", "canary", "internal/canary/canary.go", base64.StdEncoding.EncodeToString([]byte("nothing of the kind"))} {
		Check(t, "a text without a secret", text)
	}
}
