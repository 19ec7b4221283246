package e2e

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

const shardedConfig = "../../deploy/prometheus/sharded.yml"

// TestSharding runs Prometheus with the shipped configuration and two replicas of the exporter.
// One of them probes each session and logs in. If it stops, this affects only its own HMPs.
func TestSharding(t *testing.T) {
	t.Parallel()
	hmps := startShardedHMPs(t)
	replica0, replica1 := hmps.startReplica(t), hmps.startReplica(t)
	first, second := replica0.address(), replica1.address()
	text := strings.NewReplacer("exporter-0:10042", first, "exporter-1:10042", second,
		"scrape_interval: 30s", "scrape_interval: 4s", "scrape_timeout: 15s", "scrape_timeout: 4s").Replace(read(t, shardedConfig))
	server := startPrometheus(t, text)
	server.waitForScrapes(t, len(hmps)+2)

	replicas := server.replicas(t)
	if got, want := slices.Sorted(maps.Keys(replicas)), slices.Sorted(maps.Keys(hmps)); !slices.Equal(got, want) {
		t.Errorf("the targets are %v, want %v", got, want)
	}
	if n := len(slices.Compact(slices.Sorted(maps.Values(replicas)))); n != 2 {
		t.Fatalf("%d replicas probe, want 2: %v", n, replicas)
	}
	server.expectNone(t, `count by (target, session) (hmp_session_valid) != 1`)
	server.expectNone(t, `hmp_session_valid != 1`)
	server.expectNone(t, `label_replace(hmp_session_valid, "target", "$1", "instance", "(.*)") unless hmp_session_valid`)
	hmps.checkLogins(t, "", func(string) int { return 1 })

	t.Run("a replica stops", func(t *testing.T) {
		replica1.stop(t)
		want := make(map[string]float64)
		for name, replica := range replicas {
			want[name] = 1
			if replica == second {
				want[name] = 0
			}
		}
		exportertest.Eventually(t, "the scrapes of its HMPs, and no others, to fail", func() error {
			up := make(map[string]float64)
			for _, s := range server.query(t, `up{job="hmp"}`) {
				up[s.Labels["instance"]] = s.value(t)
			}
			if diff := cmp.Diff(want, up); diff != "" {
				return fmt.Errorf("up (-want +got):\n%s", diff)
			}
			return nil
		})
		hmps.checkLogins(t, "after a replica stopped", func(string) int { return 1 })
	})
	t.Run("the other replica takes over", func(t *testing.T) {
		text := strings.NewReplacer("modulus: 2", "modulus: 1", second, first).Replace(text)
		if err := errors.Join(os.WriteFile(server.config, []byte(text), 0o600), syscall.Kill(server.PID, syscall.SIGHUP)); err != nil {
			t.Fatal(err)
		}
		exportertest.Eventually(t, "it to probe every session", func() error {
			if n := len(server.query(t, `hmp_session_valid == 1`)); n != len(hmps)*len(shardedSessions) {
				return fmt.Errorf("%d are valid", n)
			}
			return nil
		})
		hmps.checkLogins(t, "after the other replica took over", func(hmp string) int {
			if replicas[hmp] == second {
				return 2
			}
			return 1
		})
	})
	replica0.stop(t)
}

// shardedHMPs are simulated HMPs by name. Each has two sessions, with an API key each.
type shardedHMPs map[string]shardedHMP

type shardedHMP struct {
	*hmpsim.Server
	url string
}

var shardedSessions = []string{"playout", "archive"}

func startShardedHMPs(t *testing.T) shardedHMPs {
	t.Helper()
	hmps := make(shardedHMPs)
	for name := range strings.FieldsSeq("studio lab arena tower van annex") {
		sim := hmpsim.New()
		for _, session := range shardedSessions {
			sim.AddKey(secretOf(session), secretOf(session+"-secret"), valid)
		}
		hmps[name] = shardedHMP{sim, serve(t, sim)}
	}
	return hmps
}

// startReplica starts an exporter with all HMPs.
func (h shardedHMPs) startReplica(t *testing.T) *process {
	t.Helper()
	config := ""
	for _, name := range slices.Sorted(maps.Keys(h)) {
		config += targetConfig(name, h[name].url, nil)
		for _, session := range shardedSessions {
			config += keyConfig(session, session)
		}
	}
	return startTargets(t, "", config, "--no-collector.sessions")
}

// checkLogins checks the number of logins of each key.
func (h shardedHMPs) checkLogins(t *testing.T, when string, want func(hmp string) int) {
	t.Helper()
	for name, hmp := range h {
		for session, account := range hmp.Stats().Accounts {
			if account.POSTs != want(name) {
				t.Errorf("%s: %d logins of %s %s, want %d", name, account.POSTs, session, when, want(name))
			}
		}
		if n := len(hmp.Stats().Accounts); n != len(shardedSessions) {
			t.Errorf("%s: %d keys were used, want %d", name, n, len(shardedSessions))
		}
	}
}

// replicas returns the address that each target of the job hmp is scraped from, by instance.
func (p prometheus) replicas(t *testing.T) map[string]string {
	t.Helper()
	var answer struct {
		Data struct {
			ActiveTargets []struct {
				Labels    map[string]string
				ScrapeURL string
			}
		}
	}
	getJSON(t, p.api+"/targets?state=active&scrapePool=hmp", &answer)
	replicas := make(map[string]string)
	for _, target := range answer.Data.ActiveTargets {
		instance := target.Labels["instance"]
		if other, ok := replicas[instance]; ok {
			t.Errorf("%s is scraped from %s and from %s", instance, other, target.ScrapeURL)
		}
		replicas[instance] = addressPattern.FindString(target.ScrapeURL)
	}
	return replicas
}
