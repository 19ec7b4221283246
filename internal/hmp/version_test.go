package hmp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
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
	a = exchange(t, base, plenty, func(ctx context.Context, c *Client) (a Answer, none secret.Value) {
		v, a = c.Version(ctx, Request{
			Token: secret.New(canaryToken), Secrets: []secret.Value{secret.New(canarySecret)},
			Header: http.Header{"X-Gateway": {canary.Word + "-gateway"}},
		})
		return a, none
	}, keepAlive)
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
			v, a := askVersion(t, serve(t, http.StripPrefix("/hmp", sim).ServeHTTP).URL+"/hmp")
			want := Version{}
			if strings.HasPrefix(name, "good") {
				want = Version{"4.1.1", "30242"}
			}
			if v != want || (a.Result == Valid) != (want != Version{}) {
				t.Errorf("got %+v, and the result %s (%s)", v, a.Result, a.Reason)
			}
			if stats := sim.Stats(); stats.Versions != 1 || stats.GETs+stats.POSTs != 0 {
				t.Errorf("HMP had the requests %+v, want one for its version", stats)
			}
		})
	}
}

// TestVersionIsBounded is that both texts are short, printable and valid UTF-8.
func TestVersionIsBounded(t *testing.T) {
	for said, want := range map[string]string{
		`"` + strings.Repeat("4.", 100) + `"`:         strings.Repeat("4.", 32),
		`"` + strings.Repeat("\U0001F3A5", 100) + `"`: strings.Repeat("\U0001F3A5", 32), // four bytes each
		`" 4.1\u0000\u001b[31m\n "`:                   "4.1  [31m",
		"\"4\xff1\"":                                  "4\uFFFD1",
	} {
		v, a := askVersion(t, serve(t, answer(200, `{"data":{"version":`+said+`,"build":`+said+`}}`)).URL)
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
			v, a := askVersion(t, serve(t, answer(200, `{"data":{"sessionId":"handed-out",`+fmt.Sprintf(body, text)+`}}`)).URL)
			if v != (Version{}) || a.Result != BadPayload {
				t.Errorf("%s: %+v, and the result %s", name, v, a.Result)
			}
		}
	}
}
