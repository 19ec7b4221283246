package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// TestScrapeNeverFails is that a scrape is answered with all sessions, whatever
// all their HMPs do at once.
func TestScrapeNeverFails(t *testing.T) {
	r := newRig(t, fleet)
	session := hmpsim.ExampleSession()
	hostile := session
	hostile.ServiceMessages = []string{"\x00\"\\\n# EOF\nhmp_up 7", strings.Repeat("m", 10_000), "\ufffd"}
	behaviours := map[string]hmpsim.Behaviour{
		"valid":               valid(),
		"hostile":             hmpsim.Valid(hostile),
		"large":               hmpsim.Large(session, 4<<20),
		"drip":                hmpsim.SlowBody(100, time.Millisecond, session),
		"no_roles":            hmpsim.NoRoles(),
		"unauthorized":        hmpsim.Unauthorized(),
		"unknown_session":     hmpsim.UnknownSession(),
		"internal_error":      hmpsim.InternalError("boom"),
		"create_user_session": hmpsim.CreateUserSession(),
		"auth_unavailable":    hmpsim.AuthUnavailable(),
		"endpoint_missing":    hmpsim.EndpointMissing(),
		"redirect":            hmpsim.Redirect(http.StatusFound, r.hmp.URL+"/elsewhere"),
		"bad_gateway":         hmpsim.BadGateway(),
		"teapot":              hmpsim.Raw(http.StatusTeapot, "text/plain", ""),
		"reset":               hmpsim.Reset(),
		"malformed":           hmpsim.Malformed(),
		"slow.hang":           hmpsim.Hang(),
		"slow.hang_in_body":   hmpsim.HangInBody(session),
		"slow.delay":          hmpsim.Delay(time.Hour, valid()),
	}
	for name, behaviour := range hmpsim.BadPayloads() {
		behaviours["bad."+strings.ReplaceAll(name, " ", "_")] = behaviour
	}
	var sick, slow strings.Builder
	for name, behaviour := range behaviours {
		r.sim.SetToken(canary.Word+"-"+name, behaviour)
		list := &sick
		if strings.HasPrefix(name, "slow.") {
			list = &slow
		}
		fmt.Fprintf(list, "      - {name: %s, token: %s-%[1]s}\n", name, canary.Word)
	}
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Certificate(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	untrusted := simulate(t, r.sim, hmpsim.ListenConfig{Certificate: &certificate})
	gone := simulate(t, r.sim, hmpsim.ListenConfig{})
	gone.Close()
	one := "    sessions: [{name: one, token: CANARY-valid}]\n"
	r.configure("targets:\n" +
		"  - name: sick\n    url: HMP\n    service_message_text: true\n    sessions:\n" + sick.String() +
		"  - name: slow\n    url: HMP\n    timeout: 300ms\n    sessions:\n" + slow.String() +
		"  - name: small\n    url: HMP\n    max_body_size: 1KiB\n    sessions: [{name: one, token: CANARY-large}]\n" +
		"  - name: gone\n    url: " + gone.URL + "\n" + one +
		"  - name: untrusted\n    url: " + untrusted.URL + "\n" + one +
		"  - name: not_tls\n    url: " + strings.Replace(r.hmp.URL, "http", "https", 1) + "\n" + one +
		"  - name: no_file\n    url: HMP\n    sessions: [{name: one, token_file: missing}]\n")
	if err := r.store.Reload(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"gone/one connect", "no_file/one credentials", "not_tls/one tls",
		"sick/auth_unavailable auth_unavailable", "sick/bad_gateway http_error",
		"sick/create_user_session internal_error", "sick/drip valid", "sick/endpoint_missing endpoint_missing",
		"sick/hostile valid", "sick/internal_error internal_error", "sick/large valid", "sick/malformed protocol",
		"sick/no_roles no_roles", "sick/redirect redirect", "sick/reset protocol", "sick/teapot http_error",
		"sick/unauthorized unauthorized", "sick/unknown_session unauthorized", "sick/valid valid",
		"slow/slow.delay timeout", "slow/slow.hang timeout", "slow/slow.hang_in_body timeout",
		"small/one bad_payload", "untrusted/one tls",
	}
	for name := range hmpsim.BadPayloads() {
		want = append(want, "sick/bad."+strings.ReplaceAll(name, " ", "_")+" bad_payload")
	}
	slices.Sort(want)

	for range 2 { // the second one meets what the first left behind
		got := r.get("/metrics")
		if diff := cmp.Diff(want, outcomes(t, got)); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
		if n := len(got.series(t, "hmp_session_valid")); n != len(want) {
			t.Errorf("%d sessions have a hmp_session_valid, want all %d", n, len(want))
		}
	}
	if n := r.sim.Stats().Others; n != 0 {
		t.Errorf("the redirect was followed %d times", n)
	}
}

// outcomes returns the result of each session, as target/session result.
func outcomes(t *testing.T, r reply) []string {
	t.Helper()
	var outcomes []string
	for _, m := range r.families(t)["hmp_session_probe_result"].GetMetric() {
		if m.GetGauge().GetValue() == 1 {
			outcomes = append(outcomes, fmt.Sprintf("%s/%s %s", m.Label[2].GetValue(), m.Label[1].GetValue(), m.Label[0].GetValue()))
		}
	}
	slices.Sort(outcomes)
	return outcomes
}
