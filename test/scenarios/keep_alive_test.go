package scenarios

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"hmp_exporter/internal/hmpsim"
)

// TestKeptConnections has 300 sessions of one HMP that keeps connections. Half of the
// sessions are answered with 503, whose connections are not used again. No exchange fails
// because another one's connection is closed, neither a GET nor a login.
func TestKeptConnections(t *testing.T) {
	// Not beside other tests: the more exchanges end at once, the more this shows.
	const scrapers, scrapes, keys, sessionsOfKey = 3, 5, 40, 3
	healthy, sick := numbered("healthy", 90), numbered("sick", 90)
	hmp := hmpWith(healthy, valid)
	for _, s := range sick {
		hmp.SetToken(secretOf(s), hmpsim.AuthUnavailable())
	}
	configuration := "targets:\n" + targetOf("studio", serve(t, hmp), append(healthy, sick...), "keep_alive: true")
	for i, key := range numbered("key", keys) {
		get := valid
		if i%2 == 1 {
			get = hmpsim.AuthUnavailable() // next to the logins of the others
		}
		hmp.AddKey(secretOf(key), secretOf(key+"-secret"), hmpsim.PerMethod(get, valid))
		for n := range sessionsOfKey {
			configuration += fmt.Sprintf("      - {name: %s-%d, api_key: %s, api_secret: %s}\n", key, n, secretOf(key), secretOf(key+"-secret"))
		}
	}
	e := start(t, "", configuration)

	total, up, logins := make(counts), 0, 0
	for round := range 2 {
		if round == 1 { // all log in once more, in the midst of GETs
			for _, key := range numbered("key", keys) {
				hmp.RevokeTokens(secretOf(key))
			}
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range scrapers {
			wg.Go(func() {
				for range scrapes {
					p := e.scrape(t, "/metrics", 20*time.Second)
					if p.status != 200 {
						t.Errorf("a scrape was answered with %d: %.300s", p.status, p.text)
					}
					mu.Lock()
					total.add(p.of("studio"))
					for line := range strings.SplitSeq(p.text, "\n") {
						if strings.HasPrefix(line, "hmp_up{") && strings.HasSuffix(line, " 1") {
							up++
						}
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		logins += keys
		if got := hmp.Stats().POSTs; got != logins {
			t.Errorf("after round %d there were %d logins, want %d: one for each key and round", round, got, logins)
		}
	}
	failed := 0
	for line := range strings.SplitSeq(e.scrape(t, "/metrics", 20*time.Second).text, "\n") {
		if strings.HasPrefix(line, "hmp_session_logins_total{") && !strings.Contains(line, `result="success"`) && !strings.HasSuffix(line, " 0") {
			failed++
		}
	}
	if failed != 0 {
		t.Errorf("%d sessions count logins that failed", failed)
	}
	const pages = 2 * scrapers * scrapes
	t.Logf("results: %v, hmp_up 1: %d, logins: %d", total, up, hmp.Stats().POSTs)
	if want := pages * 300 / 2; total["valid"] != want || total["auth_unavailable"] != want || len(total) != 2 {
		t.Errorf("the results are %v, want %d valid, %[2]d auth_unavailable and no other", total, want)
	}
	if want := pages * 300; up != want {
		t.Errorf("hmp_up is 1 in %d of %d", up, want)
	}
}
