package collector

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmpsim"
)

// TestLog has ten scrapes of everything that an HMP does. What changes is logged
// once.
func TestLog(t *testing.T) {
	tests := []struct {
		name       string
		behaviours []hmpsim.Behaviour // one after the other
		want       string
	}{
		{"valid", []hmpsim.Behaviour{valid()}, `
level=debug msg="session is valid" target=studio session=playout
`},
		{"broken, and well again", []hmpsim.Behaviour{valid(), hmpsim.AuthUnavailable(), valid()}, `
level=debug msg="session is valid" target=studio session=playout
level=warn msg="session is not valid" target=studio session=playout result=auth_unavailable meaning="HMP cannot reach its authentication server" status=503 code=090002 advice="Check HMP's connection to its directory; the token may be fine."
level=info msg="session is valid again" target=studio session=playout was=auth_unavailable
`},
		{"broken from the beginning", []hmpsim.Behaviour{hmpsim.NoRoles(), valid()}, `
level=warn msg="session is not valid" target=studio session=playout result=no_roles meaning="HMP knows the user, but the user has no role" status=401 code=020001 advice="Assign a role to the user in HMP."
level=info msg="session is valid again" target=studio session=playout was=no_roles
`},
		{"broken in several ways", []hmpsim.Behaviour{hmpsim.Hang(), hmpsim.Malformed(), hmpsim.LoginPage()}, `
level=warn msg="session is not valid" target=studio session=playout result=timeout meaning="the probe's time ran out" advice="The phases show where the time went. Raise the timeout only if the HMP is slow but works."
level=warn msg="session is not valid" target=studio session=playout result=protocol meaning="the connection broke, or the answer was not HTTP" reason="the answer is not valid HTTP, or its header is too large" advice="Check what listens on that port, and whether HMP or a proxy restarts."
level=warn msg="session is not valid" target=studio session=playout result=bad_payload meaning="the status is 200, but the body is not a session" status=200 reason="the body is not a JSON object" advice="Check that the URL is an HMP's, and max_body_size if the session is very large."
`},
		{"an HMP that repeats the token", []hmpsim.Behaviour{
			hmpsim.Raw(200, "text/plain", tokenOf("playout")),
			hmpsim.Error(500, tokenOf("playout"), tokenOf("playout"), tokenOf("playout")),
			hmpsim.Redirect(302, "http://elsewhere/"+tokenOf("playout")),
		}, `
level=warn msg="session is not valid" target=studio session=playout result=bad_payload meaning="the status is 200, but the body is not a session" status=200 reason="the body is not a JSON object" advice="Check that the URL is an HMP's, and max_body_size if the session is very large."
level=warn msg="session is not valid" target=studio session=playout result=http_error meaning="the answer has an unexpected HTTP status" status=500 code=other advice="Look at hmp_session_http_status_code; without an error code, a proxy in between may have answered."
level=warn msg="session is not valid" target=studio session=playout result=redirect meaning="the answer is a redirect, which the exporter does not follow" status=302 advice="Configure the URL that the HMP itself answers at."
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				sim := r.simulate("studio", sessions{"playout": valid()})
				r.Apply(r.load(targetNamed("studio", "playout")))
				for _, b := range tt.behaviours {
					sim.SetToken(tokenOf("playout"), b)
					for range 10 {
						r.probe(Request{})
					}
				}
				if diff := cmp.Diff(strings.Split(tt.want, "\n"), strings.Split("\n"+r.log.String(), "\n")); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}
