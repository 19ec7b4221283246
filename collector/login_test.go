package collector

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestResultsOfLogins has what an HMP can answer to a login. The login ends the
// probe, unless there is a token to ask with.
func TestResultsOfLogins(t *testing.T) {
	const none = absent
	expiry := fmt.Sprintf("%g", float64(time.Date(2000, 1, 1, 0, 30, 0, 0, time.UTC).Unix())) // synctest begins in 2000
	tests := []struct {
		name      string
		behaviour hmpsim.Behaviour
		want      verdict
		logins    logins
		next      verdict // of the probe a second later
	}{
		{
			"valid", valid(),
			verdict{"valid", "1", "1", "200", "", 1}, logins{"success 1", "0", expiry},
			verdict{"valid", "1", "1", "200", "", 2},
		}, {
			"login_rejected: wrong credentials", hmpsim.PerMethod(valid(), hmpsim.InvalidCredentials()),
			verdict{"login_rejected", "1", "0", "401", "020002", 0}, logins{"login_rejected 1", "1", none},
			verdict{"login_rejected", none, "0", "0", "020002", 0},
		}, {
			"login_rejected: bad input", hmpsim.PerMethod(valid(), hmpsim.InvalidInput("oops")),
			verdict{"login_rejected", "1", "0", "400", "010001", 0}, logins{"login_rejected 1", "1", none},
			verdict{"login_rejected", none, "0", "0", "010001", 0},
		}, {
			"login_rejected: not authorized", hmpsim.Unauthorized(),
			verdict{"login_rejected", "1", "0", "401", "020001", 0}, logins{"login_rejected 1", "1", none},
			verdict{"login_rejected", none, "0", "0", "020001", 0},
		}, {
			"endpoint_missing", hmpsim.EndpointMissing(),
			verdict{"endpoint_missing", "1", "0", "404", "", 0}, logins{"endpoint_missing 1", "0", none},
			verdict{"endpoint_missing", none, "0", "0", "", 0},
		}, {
			"no_roles", hmpsim.NoRoles(),
			verdict{"no_roles", "1", "0", "401", "020001", 0}, logins{"no_roles 1", "1", none},
			verdict{"no_roles", none, "0", "0", "020001", 0},
		}, {
			"auth_unavailable", hmpsim.AuthUnavailable(),
			verdict{"auth_unavailable", "1", "0", "503", "090002", 0}, logins{"auth_unavailable 1", "0", none},
			verdict{"auth_unavailable", none, "0", "0", "090002", 0},
		}, {
			"internal_error", hmpsim.CreateUserSession(),
			verdict{"internal_error", "1", "0", "500", "070051", 0}, logins{"internal_error 1", "0", none},
			verdict{"internal_error", none, "0", "0", "070051", 0},
		}, {
			"http_error", hmpsim.BadGateway(),
			verdict{"http_error", "1", "0", "502", "", 0}, logins{"http_error 1", "0", none},
			verdict{"http_error", none, "0", "0", "", 0},
		}, {
			"redirect", hmpsim.Redirect(302, "/login"),
			verdict{"redirect", "1", "0", "302", "", 0}, logins{"redirect 1", "0", none},
			verdict{"redirect", none, "0", "0", "", 0},
		}, {
			"bad_payload", hmpsim.LoginPage(),
			verdict{"bad_payload", "1", "0", "200", "", 0}, logins{"bad_payload 1", "0", none},
			verdict{"bad_payload", none, "0", "0", "", 0},
		}, {
			"protocol", hmpsim.Reset(),
			verdict{"protocol", "0", "0", "0", "", 0}, logins{"protocol 1", "0", none},
			verdict{"protocol", none, "0", "0", "", 0},
		}, {
			"timeout: before headers", hmpsim.Hang(),
			verdict{"timeout", "0", "0", "0", "", 0}, logins{"timeout 1", "0", none},
			verdict{"timeout", none, "0", "0", "", 0},
		}, {
			"timeout: in the body", hmpsim.HangInBody(lookalike()),
			verdict{"timeout", "1", "0", "200", "", 0}, logins{"timeout 1", "0", none},
			verdict{"timeout", none, "0", "0", "", 0},
		}, {
			"timeout: a login, and then nothing", hmpsim.PerMethod(hmpsim.Hang(), valid()),
			verdict{"timeout", "1", "0", "200", "", 1}, logins{"success 1", "0", expiry},
			verdict{"timeout", "0", "0", "0", "", 2},
		}, {
			"unauthorized: a login whose token is refused", hmpsim.PerMethod(hmpsim.Unauthorized(), valid()),
			verdict{"unauthorized", "1", "0", "401", "020001", 1}, logins{"success 1", "0", none},
			verdict{"unauthorized", "1", "0", "401", "020001", 2},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				sim := r.simulate("studio", nil)
				addKeys(sim, sessions{"playout": tt.behaviour})
				r.Apply(r.load(keyTarget("studio", "playout")))
				got, result := r.verdict(Request{}, sim)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.logins, loginsOf(t, Families([]Result{result}))); diff != "" {
					t.Errorf("logins (-want +got):\n%s", diff)
				}
				advance(time.Second)
				if next, _ := r.verdict(Request{}, sim); next != tt.next {
					t.Errorf("the next probe (-want +got):\n%s", cmp.Diff(tt.next, next))
				}
			})
		})
	}
}

// warnings are those of the log.
func (r *rig) warnings() (lines []string) {
	for line := range strings.Lines(r.log.String()) {
		if strings.HasPrefix(line, "level=warn") {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestLogOfSuspension sees that one is logged when it begins, though the result is
// the same as before. While it lasts, no probe is made, and none is measured.
func TestLogOfSuspension(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", nil)
		addKeys(sim, sessions{"playout": hmpsim.PerMethod(hmpsim.Unauthorized(), valid())})
		r.Apply(r.load(keyTarget("studio", "playout")))
		r.scrapes(time.Minute, always(t, hmp.Unauthorized))
		warnings := r.warnings()
		if len(warnings) != 2 || strings.Contains(warnings[0], "next login") || !strings.Contains(warnings[1], "HMP ended 3 tokens of this key") {
			t.Errorf("want a warning, and one that speaks of the suspension; got:\n%s", strings.Join(warnings, ""))
		}
		var m dto.Metric
		if err := r.metrics.duration.Write(&m); err != nil {
			t.Fatal(err)
		}
		if made, measured := sim.Stats().GETs, m.GetHistogram().GetSampleCount(); made != 3 || measured != 3 {
			t.Errorf("%d probes were made and %d measured, want 3 of the 4 scrapes", made, measured)
		}
	})
}

// TestLogOfLogins sees that a suspension is logged once, with what to do.
func TestLogOfLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", nil)
		addKeys(sim, sessions{"playout": valid()})
		r.Apply(r.load(keyTarget("studio", "playout")))
		r.probe(Request{})
		sim.RegenerateKey(keyOf("playout"), secretOf("another"))
		sim.RevokeTokens(keyOf("playout"))
		r.scrapes(3*time.Hour, func(Result) {})

		warnings := r.warnings()
		if len(warnings) != 1 {
			t.Fatalf("got %d warnings, want 1:\n%s", len(warnings), strings.Join(warnings, ""))
		}
		for _, want := range []string{
			"result=login_rejected", "code=020002", `advice="Compare them with the key and secret in HMP`,
			"tries this secret again at 00:30:00 UTC; a changed secret is tried at once",
		} {
			if !strings.Contains(warnings[0], want) {
				t.Errorf("no %q in %s", want, warnings[0])
			}
		}
		if n := sim.Stats().RejectedPOSTs; n < 5 || n > 12 {
			t.Errorf("%d logins were rejected within three hours", n)
		}
	})
}

// TestMetricsOfLogins follows the counters over everything that ends a login.
func TestMetricsOfLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		sim := r.simulate("studio", nil)
		addKeys(sim, sessions{"playout": valid()})
		r.Apply(r.load(keyTarget("studio", "playout"), targetNamed("lab", "guest")))
		families := func() string {
			f := Families(r.probe(Request{Target: "studio"}))
			return loginsOf(t, f).Counts
		}
		steps := []struct {
			what string
			do   func()
			want string
		}{
			{"the first probe", func() {}, "success 1"},
			{"the token is kept", func() {}, "success 1"},
			{"its sessions are gone", func() { sim.RevokeTokens(keyOf("playout")) }, "success 2"},
			{"the directory is away as well", func() {
				sim.RevokeTokens(keyOf("playout"))
				addKeys(sim, sessions{"playout": hmpsim.PerMethod(valid(), hmpsim.AuthUnavailable())})
			}, "success 2, auth_unavailable 1"},
			{"it is back", func() {
				addKeys(sim, sessions{"playout": valid()})
				advance(time.Minute)
			}, "success 3, auth_unavailable 1"},
		}
		for _, s := range steps {
			s.do()
			if got := families(); got != s.want {
				t.Errorf("%s: got %q, want %q", s.what, got, s.want)
			}
		}
		// All series are there from the beginning, so that the first increase is seen.
		text := exposition(t, Families(r.probe(Request{})))
		if n := strings.Count(text, SessionLogins+`{result="`); n != len(loginResults) {
			t.Errorf("there are %d series of %s, want %d", n, SessionLogins, len(loginResults))
		}
		for _, name := range []string{SessionLogins, SessionLoginSuspended, SessionTokenExpiry} {
			for _, s := range samples(text) {
				if strings.HasPrefix(s, name) && strings.Contains(s, `target="lab"`) {
					t.Errorf("a session with a fixed token has %s", s)
				}
			}
		}
		if r.Last()[0].Result != hmp.Valid {
			t.Errorf("the last result is %s", r.Last()[0].Result)
		}
	})
}
