package hmp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/secret"
)

// askVersion asks the server at base for its version.
func askVersion(t *testing.T, base string) (v Version, a Answer) {
	t.Helper()
	a = exchange(t, base, plenty, func(ctx context.Context, c *Client) (a Answer, none secret.Value) {
		v, a = c.Version(ctx, SessionRequest{
			Token: secret.New(canaryToken), Secrets: []secret.Value{secret.New(canarySecret)},
			Header: http.Header{"X-Gateway": {canary.Word + "-gateway"}},
		})
		return a, none
	}, keepAlive)
	canary.Check(t, "the version", fmt.Sprintf("%+v", v))
	return v, a
}

// TestVersion reads good versions. The collector's tests have bad ones.
func TestVersion(t *testing.T) {
	both := func(text string) string { return `{"data":{"version":` + text + `,"build":` + text + `}}` }
	for body, want := range map[string]Version{
		"\xef\xbb\xbf" + `{"data":{"version":"4.1.1","build":"30242"}}`:                                                                {"4.1.1", "30242"},
		`{"status":"ok","data":{"Version":"0","product":{"version":"1"},"version":"4.1.1","BUILD":null,"build":"30242","edition":[]}}`: {"4.1.1", "30242"},
		both(`"` + strings.Repeat("4.", 100) + `"`):                                                                                    {strings.Repeat("4.", 32), strings.Repeat("4.", 32)},
		both(`"` + strings.Repeat("\U0001F3A5", 100) + `"`):                                                                            {strings.Repeat("\U0001F3A5", 32), strings.Repeat("\U0001F3A5", 32)}, // four bytes each
		both(`" 4.1\u0000\u001b[31m\n "`):                                                                                              {"4.1  [31m", "4.1  [31m"},
		both("\"4\xff1\""):                                                                                                             {"4\uFFFD1", "4\uFFFD1"},
	} {
		if v, a := askVersion(t, serve(t, answer(200, body)).URL); v != want || a.Result != Valid {
			t.Errorf("%s: got %+v and %s (%s), want %+v", body, v, a.Result, a.Reason, want)
		}
	}
}

// A version that has a secret is not shown.
func TestVersionRepeatsNoSecret(t *testing.T) {
	for name, said := range map[string]string{
		"token": canaryToken, "secret": canarySecret, "header": canary.Word + "-gateway", "part": "4.1 " + canaryToken[3:], "session": "4.1 handed-out",
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
