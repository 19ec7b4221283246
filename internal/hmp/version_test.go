package hmp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/secret"
)

// askVersion asks the server at base for its version.
func askVersion(t *testing.T, base string) (v Version, a Answer) {
	t.Helper()
	a, _ = exchange(t, base, plenty, func(ctx context.Context, c *Client) (a Answer, none secret.Value) {
		v, a = c.Version(ctx, Request{
			Token: secret.New(canaryToken), Secrets: []secret.Value{secret.New(canarySecret)},
			Header: http.Header{"X-Gateway": {canary.Word + "-gateway"}},
		})
		return a, none
	}, func(o *Options) { o.KeepAlive = true })
	canary.Check(t, "the version", fmt.Sprintf("%+v", v))
	return v, a
}

// TestVersion reads what HMP documents, whatever stands beside it, and nothing else.
func TestVersion(t *testing.T) {
	behaviours := hmpsim.BadVersions()
	behaviours["good: documented"] = hmpsim.Version("4.1.1", "30242")
	behaviours["good: other fields"] = hmpsim.Raw(200, "application/json",
		`{"status":"ok","data":{"Version":"0","product":{"version":"1"},"version":"4.1.1","BUILD":null,"build":"30242","edition":[]}}`)
	behaviours["good: byte order mark"] = hmpsim.Raw(200, "text/plain", "\xef\xbb\xbf"+`{"data":{"version":"4.1.1","build":"30242"}}`)
	for name, b := range behaviours {
		t.Run(name, func(t *testing.T) {
			sim := hmpsim.New()
			sim.SetVersion(b)
			sim.SetToken(canaryToken, hmpsim.NoRoles())
			var elsewhere atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/hmp/apis/system/version" {
					elsewhere.Add(1)
				}
				http.StripPrefix("/hmp", sim).ServeHTTP(w, r)
			}))
			defer s.Close()
			v, a := askVersion(t, s.URL+"/hmp")
			want := Version{}
			if strings.HasPrefix(name, "good") {
				want = Version{"4.1.1", "30242"}
			}
			if v != want || (a.Result == Valid) != (want != Version{}) {
				t.Errorf("got %+v, and the result %s (%s)", v, a.Result, a.Reason)
			}
			if n := sim.Stats().Versions; n != 1 || elsewhere.Load() != 0 {
				t.Errorf("%d requests, and %d for something else", n, elsewhere.Load())
			}
		})
	}
}

// TestVersionIsBounded is that both texts are short, printable and valid UTF-8.
func TestVersionIsBounded(t *testing.T) {
	for said, want := range map[string]string{
		`"` + strings.Repeat("4.", 100) + `"`:         strings.Repeat("4.", 32),
		`"` + strings.Repeat("\U0001F3A5", 100) + `"`: strings.Repeat("\U0001F3A5", 64),
		`" 4.1\u0000\u001b[31m\n "`:                   "4.1  [31m",
		"\"4\xff1\"":                                  "4\uFFFD1",
	} {
		s := httptest.NewServer(answer(200, `{"data":{"version":`+said+`,"build":`+said+`}}`))
		v, a := askVersion(t, s.URL)
		s.Close()
		if diff := cmp.Diff(Version{want, want}, v); diff != "" || !utf8.ValidString(v.Version) {
			t.Errorf("%s: %s (%s)\n%s", said, a.Result, a.Reason, diff)
		}
	}
}

// TestVersionRepeatsNoSecret asks HMPs that answer with a secret, whole, cut or encoded.
func TestVersionRepeatsNoSecret(t *testing.T) {
	for name, said := range map[string]string{
		"token": canaryToken, "secret": canarySecret, "header": canary.Word + "-gateway", "part": "4.1 " + canaryToken[3:],
		"case": strings.ToUpper(canaryToken), "base64": base64.StdEncoding.EncodeToString([]byte(canaryToken)), "session": "4.1 handed-out",
		"at the end": strings.Repeat("4", MaxVersionLength-4) + canaryToken,
	} {
		text, _ := json.Marshal(said)
		for _, body := range []string{`"version":%s,"build":"1"`, `"version":"1","build":%s`} {
			s := httptest.NewServer(answer(200, `{"data":{"sessionId":"handed-out",`+fmt.Sprintf(body, text)+`}}`))
			v, a := askVersion(t, s.URL)
			s.Close()
			if v != (Version{}) || a.Result != BadPayload {
				t.Errorf("%s: %+v, and the result %s", name, v, a.Result)
			}
		}
	}
}

// TestVersionTakesNoConnection is that a question neither takes nor ends a kept connection.
func TestVersionTakesNoConnection(t *testing.T) {
	sim := hmpsim.New()
	sim.SetVersion(hmpsim.Reset())
	sim.SetToken(canaryToken, hmpsim.Valid(hmpsim.Session{}))
	s := httptest.NewServer(sim)
	defer s.Close()
	exchange(t, s.URL, plenty, func(ctx context.Context, c *Client) (a Answer, none secret.Value) {
		r := Request{Token: secret.New(canaryToken)}
		c.Session(ctx, r)
		c.Version(ctx, r)
		if a, _ = c.Session(ctx, r); a.Result != Valid || a.Phases.Connect != 0 {
			t.Errorf("the next probe is %s, and took %v to connect", a.Result, a.Phases.Connect)
		}
		return a, none
	}, func(o *Options) { o.KeepAlive = true })
}
