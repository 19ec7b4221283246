package canary

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// secretsFrom makes the tests of this package print a secret.
const secretsFrom = "CANARY_TELL"

func TestMain(m *testing.M) {
	switch secret := "secret " + Word; os.Getenv(secretsFrom) {
	case "stdout":
		fmt.Fprintln(os.Stdout, secret)
	case "stderr":
		fmt.Fprint(os.Stderr, secret[:9])
		fmt.Fprintln(os.Stderr, secret[9:])
	case "panic":
		panic(secret)
	case "error":
		os.Exit(3)
	default:
		os.Exit(Watch(m).Run())
	}
}

func TestWatch(t *testing.T) {
	for _, tt := range []struct {
		tell string
		code int
		says string
	}{
		{"stdout", 1, "the tests printed a secret: …secret " + Word},
		{"stderr", 1, "the tests printed a secret: …secret " + Word},
		{"panic", 1, "the tests printed a secret: …panic: secret " + Word},
		{"error", 3, ""},
		{"", 0, ""},
	} {
		t.Run("tells by "+tt.tell, func(t *testing.T) {
			var out, errs strings.Builder
			cmd := exec.Command(os.Args[0], "-test.run=^$")
			cmd.Env = append(os.Environ(), secretsFrom+"="+tt.tell)
			if code := run(cmd, &out, &errs); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if said := errs.String(); !strings.Contains(said, tt.says) || tt.says == "" && strings.Contains(said, "secret") {
				t.Errorf("the output has to say %q", tt.says)
			}
		})
	}
}

// A witness is a test that notes that it failed.
type witness struct {
	testing.TB
	failed string
}

func (w *witness) Helper()                        {}
func (w *witness) Errorf(format string, a ...any) { w.failed += fmt.Sprintf(format, a...) }
func (w *witness) tells(t *testing.T, what string) {
	t.Helper()
	if w.failed == "" {
		t.Errorf("%s: the secret was not found", what)
	}
	w.failed = ""
}

func TestCheck(t *testing.T) {
	secret := "token-" + Word + "-1"
	inJSON, err := json.Marshal([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{
		"as it is":        "a " + secret + " b",
		"quoted":          fmt.Sprintf("%q", secret),
		"escaped":         url.QueryEscape("ü" + secret),
		"hexadecimal":     fmt.Sprintf("%x", secret),
		"HEXADECIMAL":     fmt.Sprintf("%X", secret),
		"spaced":          fmt.Sprintf("% x", secret),
		"bytes":           fmt.Sprint([]byte(secret)),
		"bytes in JSON":   string(inJSON),
		"base64, place 0": base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64, place 1": base64.StdEncoding.EncodeToString([]byte("a" + secret)),
		"base64, place 2": base64.StdEncoding.EncodeToString([]byte("ab" + secret)),
	}
	for name, text := range texts {
		w := &witness{TB: t}
		Check(w, "a text", text)
		w.tells(t, name)
	}
	for _, text := range []string{"", "canary", "internal/canary/canary.go", base64.StdEncoding.EncodeToString([]byte("nothing of the kind"))} {
		Check(t, "a text without a secret", text)
	}
}

func TestCheckValue(t *testing.T) {
	w := &witness{TB: t}
	CheckValue(w, "a value", struct{ secret []byte }{[]byte(Word)})
	w.tells(t, "bytes in a field")
	CheckValue(t, "a value", struct{ n int }{1})
}

func TestTransport(t *testing.T) {
	pages := map[string]http.HandlerFunc{
		"header": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "/"+Word) },
		"body":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a "+Word) },
		"none":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a page") },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, Word)
		},
	}
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(page)
			defer server.Close()
			w := &witness{TB: t}
			client := server.Client()
			client.Transport = Transport(w, client.Transport)
			resp, err := client.Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if (err != nil) != (name == "cut") {
				t.Errorf("the body ends in %v", err)
			}
			if name == "none" {
				if w.failed != "" || string(body) != "a page" {
					t.Errorf("got %q, %s", body, w.failed)
				}
				return
			}
			w.tells(t, name)
		})
	}
}

func TestLog(t *testing.T) {
	w := &witness{}
	t.Run("logs", func(t *testing.T) {
		w.TB = t
		l := NewLog(w)
		_, _ = io.WriteString(l, "token="+Word)
		if l.String() != "token="+Word {
			t.Errorf("got %q", l)
		}
	})
	w.tells(t, "in the log")
}
