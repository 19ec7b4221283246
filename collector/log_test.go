package collector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestChangeIsLoggedOnce makes ten scrapes of each answer.
func TestChangeIsLoggedOnce(t *testing.T) {
	tests := []struct {
		name       string
		behaviours []hmpsim.Behaviour // one after the other
		want       string
	}{
		{"valid", []hmpsim.Behaviour{valid()}, `
level=debug msg="session is valid" target=studio session=playout
`},
		{"failed, and valid again", []hmpsim.Behaviour{valid(), hmpsim.AuthUnavailable(), valid()}, `
level=debug msg="session is valid" target=studio session=playout
level=warn msg="session is not valid" target=studio session=playout result=auth_unavailable meaning="HMP cannot reach its authentication server" status=503 code=090002 advice="Check the connection of the HMP to its authentication server, such as LDAP. The token may be good."
level=info msg="session is valid again" target=studio session=playout was=auth_unavailable
`},
		{"failed from the beginning", []hmpsim.Behaviour{hmpsim.NoRoles(), valid()}, `
level=warn msg="session is not valid" target=studio session=playout result=no_roles meaning="HMP knows the user, but the user has no role" status=401 code=020001 advice="Assign a role to the user in HMP."
level=info msg="session is valid again" target=studio session=playout was=no_roles
`},
		{"failed in several ways", []hmpsim.Behaviour{hmpsim.Hang(), hmpsim.Malformed(), hmpsim.LoginPage()}, `
level=warn msg="session is not valid" target=studio session=playout result=timeout meaning="the probe's time ran out" advice="The phases show where the time went. Raise the timeout only if the HMP is slow but works."
level=warn msg="session is not valid" target=studio session=playout result=protocol meaning="the connection broke, or the answer was not HTTP" reason="the answer is not valid HTTP, or its header is too large" advice="If the HMP uses TLS, write https:// in the URL. Check what listens on the port, and whether HMP or a proxy restarts."
level=warn msg="session is not valid" target=studio session=playout result=bad_payload meaning="the status is 200, but the body is not a session" status=200 reason="the body is not a JSON object" advice="Check that the URL is that of an HMP. If the session is very large, raise max_body_size."
`},
		{"an HMP that repeats the token", []hmpsim.Behaviour{
			hmpsim.Raw(200, "text/plain", tokenOf("playout")),
			hmpsim.Error(500, tokenOf("playout"), tokenOf("playout"), tokenOf("playout")),
			hmpsim.Redirect(302, "http://elsewhere/"+tokenOf("playout")),
		}, `
level=warn msg="session is not valid" target=studio session=playout result=bad_payload meaning="the status is 200, but the body is not a session" status=200 reason="the body is not a JSON object" advice="Check that the URL is that of an HMP. If the session is very large, raise max_body_size."
level=warn msg="session is not valid" target=studio session=playout result=http_error meaning="the answer has an unexpected HTTP status" status=500 code=other advice="Look at the HTTP status. If there is no error code, a proxy may have answered in place of the HMP."
level=warn msg="session is not valid" target=studio session=playout result=redirect meaning="the answer is a redirect, which the exporter does not follow" status=302 advice="Write the URL of the HMP itself into the configuration."
`},
	}
	for _, tt := range tests {
		runInBubble(t, tt.name, func(t *testing.T, r *rig) {
			sim := r.studio(sessions{"playout": valid()})
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
	}
}

// TestChangedReasonIsLogged checks that the log has the new reason of a session that still
// fails, unless only a number in it is new. The exporter reads a token file for every probe.
func TestChangedReasonIsLogged(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.Apply(r.load(targetWith("studio", "url: http://studio") + "      - {name: playout, token_file: token}\n"))
		probe := func() {
			for range 20 {
				r.probe(Request{})
				advance(15 * time.Second)
			}
		}
		probe()
		r.file("token", "two\nlines")
		probe()
		studio := r.snapshot.Load().byName["studio"]
		r.file("token", tokenOf("playout"))
		for port := range 20 {
			studio.client = instantClient{studio.client, hmp.Answer{Result: hmp.Protocol, Reason: fmt.Sprintf("read 127.0.0.1:%d: reset", 40000+port)}}
			probe()
		}
		warnings := r.warnings()
		for i, want := range [][2]string{
			{"result=credentials ", "token: no such file"}, {"result=credentials ", "token: has more than one line"}, {"result=protocol ", "reset"},
		} {
			if len(warnings) != 3 || !strings.Contains(warnings[i], want[0]) || !strings.Contains(warnings[i], want[1]) {
				t.Fatalf("want three warnings, number %d with %q:\n%s", i, want, strings.Join(warnings, ""))
			}
		}
	})
}

// TestSuspensionIsLogged checks that the log has the beginning of a suspension, although the
// result stays. During a suspension no probe is sent or measured.
func TestSuspensionIsLogged(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		sim := r.studioWithKeys(sessions{"playout": hmpsim.PerMethod(hmpsim.Unauthorized(), valid())})
		r.scrapes(time.Minute, always(t, hmp.Unauthorized))
		warnings := r.warnings()
		if len(warnings) != 2 || strings.Contains(warnings[0], "next login") || !strings.Contains(warnings[1], "HMP ended 3 tokens of this key") {
			t.Errorf("want a warning, and one about the suspension; got:\n%s", strings.Join(warnings, ""))
		}
		var m dto.Metric
		if err := r.metrics.duration.Write(&m); err != nil {
			t.Fatal(err)
		}
		if sent, measured := sim.Stats().GETs, m.GetHistogram().GetSampleCount(); sent != 3 || measured != 3 {
			t.Errorf("%d probes were sent and %d measured, want 3 of the 4 scrapes", sent, measured)
		}
	})
}

// TestRefusedRenewalIsLogged has HMP refuse the secret while the token lives.
func TestRefusedRenewalIsLogged(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		sim := r.studioWithKeys(sessions{"playout": valid()})
		r.scrapes(time.Minute, always(t, hmp.Valid))
		sim.RegenerateKey(keyOf("playout"), secretOf("another"))
		r.scrapes(28*time.Minute, always(t, hmp.Valid))
		if warnings := r.warnings(); len(warnings) != 1 || !strings.Contains(warnings[0], "suspended, and the session is still valid") {
			t.Errorf("want a warning about the suspension; got:\n%s", strings.Join(warnings, ""))
		}
	})
}
