package e2e

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// These tests run the exporter with HMPs that hang, end tokens or answer with errors.
// docs/reliability.md has a row for each.

// TestHungHMPsBesideAHealthyOne has two hung HMPs with 128 sessions each, and a healthy one
// with 300. In every scrape the 300 are valid, also after reloads and beside older scrapes.
func TestHungHMPsBesideAHealthyOne(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"default limit":                    nil,
		"limit smaller than hung sessions": {"--probe.max-concurrent=64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const hungSessions, healthySessions = 128, 300
			bad, good := numbered("hung", hungSessions), numbered("healthy", healthySessions)
			healthy, hung := newHMP(good, valid), newHMP(bad, hmpsim.Hang())
			exporter := startTargets(t, "", targetConfig("hung-1", serve(t, hung), bad)+
				targetConfig("hung-2", serve(t, hung), bad)+
				targetConfig("healthy", serve(t, healthy), good), args...)
			check := func(what string, p page) {
				healthy, hung := p.count("healthy"), p.count("hung")
				if p.status != 200 || p.took > scrapeTimeout || !healthy.only(healthySessions, "valid") || !hung.only(2*hungSessions, "timeout") {
					t.Errorf("%s: status %d after %v, healthy HMP %v, hung HMPs %v", what, p.status, p.took, healthy, hung)
				}
			}
			var wg sync.WaitGroup
			for round := range 3 {
				before := healthy.Stats().GETs
				wg.Go(func() { check(fmt.Sprintf("scrape %d, before a reload", round), exporter.scrape(t)) })
				exportertest.WaitFor(t, "the scrape to begin", func() bool { return healthy.Stats().GETs > before })
				exporter.Signal(t, syscall.SIGHUP)
				exportertest.WaitFor(t, "the reload", func() bool {
					return strings.Count(exporter.Log.String(), `changed="no setting"`) == round+1
				})
			}
			check("scrape beside others", exporter.scrape(t))
			wg.Wait()
			check("last scrape", exporter.scrape(t))
		})
	}
}

// TestManyHungTargets has 100 targets, of which 80 hang, and a hung target with 120 sessions.
// Prometheus scrapes all by /probe, the 120 as with /sd?by=session. The healthy targets are valid.
// Of the 120 scrapes, those above --web.max-requests are refused and counted.
func TestManyHungTargets(t *testing.T) {
	t.Parallel()
	const rounds, limit = 3, 40
	one, many := []string{"playout"}, numbered("session", 120)
	healthy, hung := numbered("healthy", 20), numbered("hung", 80)
	hmp := newHMP(append(many, one...), hmpsim.Hang())
	url := serve(t, hmp)
	config := targetConfig("large", url, many)
	for _, target := range hung {
		config += targetConfig(target, url, one)
	}
	for _, target := range healthy {
		config += targetConfig(target, serve(t, newHMP(one, valid)), one)
	}
	exporter := startTargets(t, "", config, "--no-collector.sessions", fmt.Sprintf("--web.max-requests=%d", limit))

	queries := func(format string, names []string) (list []string) {
		for _, name := range names {
			list = append(list, fmt.Sprintf(format, name))
		}
		return list
	}
	count := func(pages []page) (results counts) {
		results = make(counts)
		for _, p := range pages {
			if p.status == http.StatusServiceUnavailable {
				results["refused"]++
			}
			results.add(p.count(""))
		}
		return results
	}
	var ofHung, ofLarge, ofHealthy []page
	var wg sync.WaitGroup
	wg.Go(func() { ofHung = exporter.probeAll(t, queries("target=%s", hung)) })
	wg.Go(func() { ofLarge = exporter.probeAll(t, queries("target=large&session=%s", many)) })
	exportertest.WaitFor(t, "requests to the hung HMPs", func() bool { return hmp.Stats().GETs >= len(hung)/2 })
	for range rounds {
		ofHealthy = append(ofHealthy, exporter.probeAll(t, queries("target=%s", healthy))...)
	}
	wg.Wait()

	if c := count(ofHealthy); !c.only(rounds*len(healthy), "valid") {
		t.Errorf("the results of the healthy targets are %v", c)
	}
	if c := count(ofHung); !c.only(len(hung), "timeout") {
		t.Errorf("the results of the hung targets are %v", c)
	}
	c := count(ofLarge)
	if refused := c["refused"]; refused == 0 || refused > len(many)-limit || !c.only(len(many), "timeout", "refused") {
		t.Errorf("the results of the sessions of a hung target are %v, with a limit of %d", c, limit)
	}
	if want := fmt.Sprintf("hmp_exporter_scrapes_refused_total{path=\"/probe\"} %d\n", c["refused"]); !strings.Contains(exporter.scrape(t).text, want) {
		t.Errorf("the metrics do not have %s", want)
	}
}

// endedEarly is a part of the log if HMP ends the tokens of a key early.
var endedEarly = regexp.MustCompile(`HMP ended \d+ tokens? of this key`)

// TestTokensThatEndEarly has an HMP that ends tokens before their time. Each login leaves a
// session in HMP, so scrapes must not log in again and again.
func TestTokensThatEndEarly(t *testing.T) {
	t.Parallel()
	const scrapes, sessions, lifetime = 60, 10, time.Minute // the shortest lifetime that can be configured
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
			config := targetConfig("studio", serve(t, sim), nil, "token_lifetime: "+lifetime.String())
			for _, session := range numbered("session", sessions) {
				config += keyConfig(session, "key")
			}
			var exporters []*process
			for range tt.exporters {
				exporters = append(exporters, startTargets(t, "", config))
			}
			begin, results, logs := time.Now(), make(counts), ""
			for i := range scrapes {
				results.add(exporters[i%len(exporters)].scrape(t).count("studio"))
			}
			// A few logins at once, then one in each sixth of the lifetime.
			elapsed, logins := time.Since(begin), sim.Stats().POSTs
			if limit := tt.exporters * (4 + int(elapsed/(lifetime/6))); logins > limit {
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
	exporter := startTargets(t, "", config)

	const sessions = 2*90 + keys*sessionsOfKey
	for round := 1; round <= 2; round++ {
		var wg sync.WaitGroup
		for range scrapers {
			wg.Go(func() {
				for range scrapes {
					p := exporter.scrape(t)
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
	for line := range strings.SplitSeq(exporter.scrape(t).text, "\n") {
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
	exporter := startTargets(t, "ulimit -n 100", config)
	allValid := func() bool { return exporter.scrape(t).count("studio").only(sessions, "valid") }
	if !allValid() {
		t.Fatal("the sessions are not valid before")
	}
	var idle []net.Conn
	for range 150 {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", exporter.address())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		idle = append(idle, conn)
	}
	exportertest.WaitFor(t, "file descriptors to run out", func() bool { return !allValid() })
	results := make(counts)
	for range scrapes {
		results.add(exporter.scrape(t).count("studio"))
	}
	if !results.only(sessions*scrapes, "valid", "saturated") || results["saturated"] == 0 {
		t.Errorf("the results are %v, want saturated", results)
	}
	if !strings.Contains(exporter.Log.String(), "too many open files") {
		t.Errorf("the log does not have the reason:\n%.2000s", exporter.Log)
	}
	for _, conn := range idle {
		_ = conn.Close()
	}
	exportertest.WaitFor(t, "the sessions to be valid again", allValid)
}
