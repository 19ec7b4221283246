package scenarios

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"hmp_exporter/internal/hmpsim"
)

const (
	stormScrapes  = 60
	tokenLifetime = time.Minute // the shortest that a configuration may say
)

// sessionsOfOneKey returns the configuration of an HMP that has this key, and sessions that all use it.
func sessionsOfOneKey(t *testing.T, hmp *hmpsim.Server, key string, sessions int) string {
	t.Helper()
	configuration := targetOf("studio", serve(t, hmp), nil, "token_lifetime: "+tokenLifetime.String())
	for _, s := range numbered("session", sessions) {
		configuration += fmt.Sprintf("      - {name: %s, api_key: %s, api_secret: %s}\n", s, secretOf(key), secretOf(key+"-secret"))
	}
	return "targets:\n" + configuration
}

// allowedLogins returns how many logins one exporter may make for one key in some time: a
// few at once, then one in each sixth of the token lifetime.
func allowedLogins(elapsed time.Duration) int { return 3 + int(elapsed/(tokenLifetime/6)) + 1 }

// endedEarly is what a reason says when HMP ends the tokens of a key before their time.
var endedEarly = regexp.MustCompile(`HMP ended \d+ tokens? of this key`)

// TestTokensThatEndEarly has an HMP that ends each token after its first use. Scrapes do not
// log in again and again: each login leaves a session in HMP.
func TestTokensThatEndEarly(t *testing.T) {
	t.Parallel()
	const sessions = 10
	hmp := hmpsim.New()
	hmp.AddKey(secretOf("key"), secretOf("key-secret"), hmpsim.PerMethod(
		func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
			hmp.RemoveToken(c.Token)
			valid(w, r, c)
		}, valid))
	e := start(t, "", sessionsOfOneKey(t, hmp, "key", sessions))

	begun, results := time.Now(), make(counts)
	for range stormScrapes {
		results.add(e.scrape(t, "/metrics", 10*time.Second).of("studio"))
	}
	elapsed, logins := time.Since(begun), hmp.Stats().POSTs
	t.Logf("%d logins in %d scrapes and %v, results %v", logins, stormScrapes, elapsed.Round(time.Millisecond), results)
	if most := allowedLogins(elapsed); logins > most {
		t.Errorf("%d logins in %v, want at most %d", logins, elapsed, most)
	}
	if !results.only(stormScrapes*sessions, "valid", "unauthorized") || results["unauthorized"] == 0 {
		t.Errorf("the results are %v, want unauthorized where a login has to wait", results)
	}
	if !endedEarly.MatchString(e.Log.String()) {
		t.Errorf("the log does not say that HMP ended tokens early:\n%.2000s", e.Log)
	}
}

// TestTwoExportersOfOneKey has an HMP that allows one session a key, and two exporters with
// the same key. They end each other's sessions, but not with a login for each scrape.
func TestTwoExportersOfOneKey(t *testing.T) {
	t.Parallel()
	const sessions = 5
	hmp := hmpsim.New()
	hmp.AddKey(secretOf("key"), secretOf("key-secret"), hmpsim.PerMethod(valid,
		func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
			hmp.RevokeTokens(secretOf("key"))
			valid(w, r, c)
		}))
	configuration := sessionsOfOneKey(t, hmp, "key", sessions)
	exporters := []*exporter{start(t, "", configuration), start(t, "", configuration)}

	begun, results := time.Now(), make(counts)
	for i := range stormScrapes {
		results.add(exporters[i%2].scrape(t, "/metrics", 10*time.Second).of("studio"))
	}
	elapsed, logins := time.Since(begun), hmp.Stats().POSTs
	t.Logf("%d logins in %d scrapes and %v, results %v", logins, stormScrapes, elapsed.Round(time.Millisecond), results)
	if most := 2 * allowedLogins(elapsed); logins > most {
		t.Errorf("%d logins in %v, want at most %d", logins, elapsed, most)
	}
	if !results.only(stormScrapes*sessions, "valid", "unauthorized") || results["unauthorized"] == 0 {
		t.Errorf("the results are %v, want unauthorized where a login has to wait", results)
	}
	if logs := exporters[0].Log.String() + exporters[1].Log.String(); !endedEarly.MatchString(logs) {
		t.Errorf("no log says that HMP ended tokens early:\n%.2000s", logs)
	}
}
