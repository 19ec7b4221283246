package e2e

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// tokenLifetime is the shortest that the configuration allows.
const tokenLifetime = time.Minute

// endedEarly is a part of the log if HMP ends the tokens of a key early.
var endedEarly = regexp.MustCompile(`HMP ended \d+ tokens? of this key`)

// TestTokensThatEndEarly has an HMP that ends tokens before their time. Each login leaves a
// session in HMP, so scrapes must not log in again and again.
func TestTokensThatEndEarly(t *testing.T) {
	t.Parallel()
	const scrapes, sessions = 60, 10
	for name, tt := range map[string]struct {
		exporters int
		behaviour func(sim *hmpsim.Server) hmpsim.Behaviour
	}{
		"a token ends after its first use": {1, func(sim *hmpsim.Server) hmpsim.Behaviour {
			return hmpsim.PerMethod(func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
				sim.RemoveToken(c.Token)
				valid(w, r, c)
			}, valid)
		}},
		"two exporters, one session for each key": {2, func(sim *hmpsim.Server) hmpsim.Behaviour {
			return hmpsim.PerMethod(valid, func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
				sim.RevokeTokens(secretOf("key"))
				valid(w, r, c)
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := hmpsim.New()
			sim.AddKey(secretOf("key"), secretOf("key-secret"), tt.behaviour(sim))
			config := targetConfig("studio", serve(t, sim), nil, "token_lifetime: "+tokenLifetime.String())
			for _, session := range numbered("session", sessions) {
				config += keyConfig(session, "key")
			}
			var exporters []*scenario
			for range tt.exporters {
				exporters = append(exporters, startScenario(t, "", config))
			}

			begin, results, logs := time.Now(), make(counts), ""
			for i := range scrapes {
				results.add(exporters[i%len(exporters)].metrics(t).count("studio"))
			}
			// A few logins at once, then one in each sixth of the lifetime.
			elapsed, logins := time.Since(begin), sim.Stats().POSTs
			if limit := tt.exporters * (4 + int(elapsed/(tokenLifetime/6))); logins > limit {
				t.Errorf("%d logins in %v, want at most %d", logins, elapsed, limit)
			}
			if !results.only(scrapes*sessions, "valid", "unauthorized") || results["unauthorized"] == 0 {
				t.Errorf("the results are %v, want unauthorized while a login waits", results)
			}
			for _, e := range exporters {
				logs += e.Log.String()
			}
			if !endedEarly.MatchString(logs) {
				t.Errorf("the log does not say that HMP ended tokens early:\n%.2000s", logs)
			}
		})
	}
}

// TestKeptConnections has 300 sessions of one HMP with keep-alive. HMP answers half of them
// with 503, after which a connection is not used again. No other exchange may fail because
// of that, neither a GET nor a login.
func TestKeptConnections(t *testing.T) {
	// Not parallel: the more exchanges end at once, the more likely is a failure.
	const scrapers, scrapes, keys, sessionsOfKey = 3, 5, 40, 3
	healthy, sick := numbered("healthy", 90), numbered("sick", 90)
	sim := newHMP(healthy, valid)
	for _, s := range sick {
		sim.SetToken(secretOf(s), hmpsim.AuthUnavailable())
	}
	config := targetConfig("studio", serve(t, sim), append(healthy, sick...), "keep_alive: true")
	for i, key := range numbered("key", keys) {
		get := valid
		if i%2 == 1 {
			get = hmpsim.AuthUnavailable()
		}
		sim.AddKey(secretOf(key), secretOf(key+"-secret"), hmpsim.PerMethod(get, valid))
		for n := range sessionsOfKey {
			config += keyConfig(fmt.Sprintf("%s-%d", key, n), key)
		}
	}
	s := startScenario(t, "", config)

	const sessions = 2*90 + keys*sessionsOfKey
	for round := 1; round <= 2; round++ {
		var wg sync.WaitGroup
		for range scrapers {
			wg.Go(func() {
				for range scrapes {
					p := s.metrics(t)
					results, up := p.count("studio"), len(seriesWithOne.FindAllString(p.text, -1))
					if results["valid"] != sessions/2 || results["auth_unavailable"] != sessions/2 || up != sessions {
						t.Errorf("status %d, results %v, hmp_up is 1 for %d, want 1 for all and half of them valid", p.status, results, up)
					}
				}
			})
		}
		wg.Wait()
		if logins := sim.Stats().POSTs; logins != round*keys {
			t.Errorf("after round %d there were %d logins, want one for each key and round", round, logins)
		}
		for _, key := range numbered("key", keys) { // all log in again, between GETs
			sim.RevokeTokens(secretOf(key))
		}
	}
	for line := range strings.SplitSeq(s.metrics(t).text, "\n") {
		if strings.HasPrefix(line, "hmp_session_logins_total{") && !strings.Contains(line, `result="success"`) && !strings.HasSuffix(line, " 0") {
			t.Errorf("a login failed: %s", line)
		}
	}
}

var seriesWithOne = regexp.MustCompile(`(?m)^hmp_up\{.*\} 1$`)

// TestNoFileDescriptors uses up the exporter's file descriptors with idle connections. Sessions
// with and without token files are saturated: no result blames the file or HMP.
func TestNoFileDescriptors(t *testing.T) {
	t.Parallel()
	const scrapes, sessions = 10, 20
	static, files := numbered("static", 10), numbered("file", 10)
	config := targetConfig("studio", serve(t, newHMP(append(files, static...), valid)), static)
	dir := t.TempDir()
	for _, name := range files {
		config += fmt.Sprintf("      - {name: %s, token_file: %s}\n", name, write(t, dir, name, secretOf(name)))
	}
	s := startScenario(t, "ulimit -n 100", config)
	allValid := func() bool { return s.metrics(t).count("studio").only(sessions, "valid") }
	if !allValid() {
		t.Fatal("the sessions are not valid before")
	}
	var idle []net.Conn
	for range 150 {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		idle = append(idle, conn)
	}
	exportertest.WaitFor(t, "file descriptors to run out", func() bool { return !allValid() })
	results := make(counts)
	for range scrapes {
		results.add(s.metrics(t).count("studio"))
	}
	if !results.only(sessions*scrapes, "valid", "saturated") || results["saturated"] == 0 {
		t.Errorf("the results are %v, want saturated", results)
	}
	if !strings.Contains(s.Log.String(), "too many open files") {
		t.Errorf("the log does not have the reason:\n%.2000s", s.Log)
	}
	for _, conn := range idle {
		_ = conn.Close()
	}
	exportertest.WaitFor(t, "the sessions to be valid again", allValid)
}

// TestHastyScraper has a scraper that waits a millisecond, or less than a second, again and
// again. It gets an answer, but causes no login, no line in the log and no timeout on the
// page. The results of other scrapers stay valid.
func TestHastyScraper(t *testing.T) {
	t.Parallel()
	const scrapers, hastyScrapes, scrapes = 4, 30, 10
	sessions := numbered("static", 10)
	sim := newHMP(sessions, hmpsim.Delay(20*time.Millisecond, valid))
	sim.AddKey(secretOf("key"), secretOf("key-secret"), hmpsim.PerMethod(valid, hmpsim.Delay(500*time.Millisecond, valid)))
	// With a long offset a scrape of less than a second leaves little time for the probe.
	s := startScenario(t, "", targetConfig("studio", serve(t, sim), sessions)+keyConfig("keyed", "key"), "--timeout-offset=2s")

	var scraped sync.WaitGroup
	scrapeHastily := func() {
		for range scrapers {
			scraped.Go(func() {
				for i := range hastyScrapes {
					timeout := time.Millisecond
					if i%10 == 0 {
						timeout = 400 * time.Millisecond // enough for a GET, not for a login
					}
					if p := s.scrape(t, "/metrics", timeout); p.status != 200 || len(p.results()) != 11 {
						t.Errorf("a hasty scraper got status %d and %d results", p.status, len(p.results()))
					}
				}
			})
		}
	}
	checkTraces := func() (results counts) {
		_, before := s.Get(t, "/")
		logged := len(s.Log.String())
		scrapeHastily()
		results = make(counts)
		for range scrapes {
			results.add(s.metrics(t).count("studio"))
		}
		scraped.Wait()
		_, after := s.Get(t, "/")
		if n := strings.Count(after, "timeout") - strings.Count(before, "timeout"); n != 0 || len(s.Log.String()) != logged {
			t.Errorf("hasty scrapers caused %d timeouts on the page and in the log:\n%s", n, s.Log.String()[logged:])
		}
		return results
	}
	scrapeHastily()
	scraped.Wait()
	if logins := sim.Stats().POSTs; logins != 0 {
		t.Errorf("hasty scrapers caused %d logins", logins)
	}
	s.metrics(t) // logs in
	if results := checkTraces(); !results.only(scrapes*11, "valid") {
		t.Errorf("the results of other scrapers are %v, want valid", results)
	}
}
