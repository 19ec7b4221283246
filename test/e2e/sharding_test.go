package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmpsim"
)

const shardedConfig = "../../deploy/prometheus/sharded.yml"

// TestSharding lets a real Prometheus with the shipped configuration scrape two replicas of the exporter that have the
// same HMPs. Every session is probed by one of them, which alone logs in, and the other HMPs do not care when one dies.
func TestSharding(t *testing.T) {
	t.Parallel()
	hmps := startFleet(t)
	replicas := []*process{hmps.startReplica(t), hmps.startReplica(t)}
	first, second := strings.TrimPrefix(replicas[0].url(t), "http://"), strings.TrimPrefix(replicas[1].url(t), "http://")
	text := quickly(t, string(read(t, shardedConfig)), "exporter-0:10042", first, "exporter-1:10042", second)
	server := runPrometheus(t, text)

	server.awaitScrapes(t, len(hmps))
	asked := server.replicaOfEach(t)
	if got, want := slices.Sorted(maps.Keys(asked)), slices.Sorted(maps.Keys(hmps)); !slices.Equal(got, want) {
		t.Errorf("the targets are %v, want a target for each of %v", got, want)
	}
	if n := len(slices.Compact(slices.Sorted(maps.Values(asked)))); n != len(replicas) {
		t.Fatalf("%d replicas probe, want %d: %v", n, len(replicas), asked)
	}
	server.expectNone(t, `count by (target, session) (hmp_session_valid) != 1`)
	server.expectNone(t, `hmp_session_valid != 1`)
	server.expectNone(t, `label_replace(hmp_session_valid, "target", "$1", "instance", "(.*)") unless hmp_session_valid`)
	hmps.expectLogins(t, "", func(string) int { return 1 })

	t.Run("a replica dies", func(t *testing.T) {
		replicas[1].stop(t)
		want := make(map[string]float64)
		for name, replica := range asked {
			want[name] = 1
			if replica == second {
				want[name] = 0
			}
		}
		eventually(t, "its HMPs, and no others, are not scraped", func() error {
			up := make(map[string]float64)
			for _, s := range server.query(t, `up{job="hmp"}`) {
				up[s.Labels["instance"]] = s.value(t)
			}
			if diff := cmp.Diff(want, up); diff != "" {
				return fmt.Errorf("up (-want +got):\n%s", diff)
			}
			return nil
		})
		hmps.expectLogins(t, "after it", func(string) int { return 1 })
	})

	t.Run("one is left", func(t *testing.T) {
		server.reconfigure(t, strings.NewReplacer("modulus: 2", "modulus: 1", second, first).Replace(text))
		eventually(t, "it probes every session", func() error {
			if n := len(server.query(t, `hmp_session_valid == 1`)); n != len(hmps)*len(sessionsOfEach) {
				return fmt.Errorf("%d are valid", n)
			}
			return nil
		})
		hmps.expectLogins(t, "after the move", func(hmp string) int {
			if asked[hmp] == second {
				return 2
			}
			return 1
		})
	})
}

// quickly returns a configuration with some parts replaced, given in pairs, and with a scrape every two seconds. Each part
// has to be there.
func quickly(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for pair := range slices.Chunk(pairs, 2) {
		if !strings.Contains(text, pair[0]) {
			t.Fatalf("there is no %s to replace in\n%s", pair[0], text)
		}
	}
	pairs = append(pairs, "scrape_interval: 30s", "scrape_interval: 2s", "scrape_timeout: 15s", "scrape_timeout: 2s")
	return strings.NewReplacer(pairs...).Replace(text)
}

// sessionsOfEach are the sessions that each HMP of a fleet has, with an API key each.
var sessionsOfEach = []string{"playout", "archive"}

// A fleet is simulated HMPs by name.
type fleet map[string]simulated

type simulated struct {
	*hmpsim.Server
	url string
}

func startFleet(t *testing.T) fleet {
	t.Helper()
	hmps := make(fleet)
	for name := range strings.FieldsSeq("studio lab arena tower van annex") {
		sim := hmpsim.New()
		for _, session := range sessionsOfEach {
			sim.AddKey("CANARY-key-"+session, "CANARY-secret", hmpsim.Valid(hmpsim.ExampleSession()))
		}
		listening, err := sim.Start(hmpsim.ListenConfig{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(listening.Close)
		hmps[name] = simulated{sim, listening.URL}
	}
	return hmps
}

// startReplica starts an exporter that has the whole fleet configured.
func (f fleet) startReplica(t *testing.T) *process {
	t.Helper()
	var config strings.Builder
	config.WriteString("targets:\n")
	for _, name := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(&config, "  - name: %s\n    url: %s\n    sessions:\n", name, f[name].url)
		for _, session := range sessionsOfEach {
			fmt.Fprintf(&config, "      - {name: %s, api_key: CANARY-key-%[1]s, api_secret: CANARY-secret}\n", session)
		}
	}
	file := filepath.Join(t.TempDir(), "hmp.yml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, command(t, exporterBinary, "--config.file="+file, "--no-collector.sessions", "--web.listen-address=127.0.0.1:0"))
}

// expectLogins checks how often each key of each HMP has logged in.
func (f fleet) expectLogins(t *testing.T, when string, want func(hmp string) int) {
	t.Helper()
	for name, hmp := range f {
		for key, account := range hmp.Stats().Accounts {
			if account.POSTs != want(name) {
				t.Errorf("%s: %s logged in %d times %s, want %d", name, key, account.POSTs, when, want(name))
			}
		}
		if n := len(hmp.Stats().Accounts); n != len(sessionsOfEach) {
			t.Errorf("%s: %d accounts were used, want %d", name, n, len(sessionsOfEach))
		}
	}
}

// awaitScrapes waits until each of so many HMPs has been scraped three times.
func (p prometheus) awaitScrapes(t *testing.T, hmps int) {
	t.Helper()
	eventually(t, "every HMP has been scraped three times", func() error {
		if n := len(p.query(t, `count_over_time(up{job="hmp"}[10m]) >= 3`)); n != hmps {
			return fmt.Errorf("%d of %d have", n, hmps)
		}
		return nil
	})
}

// replicaOfEach returns the host and port that each target of the job hmp is scraped from, by its instance. There may
// be one only.
func (p prometheus) replicaOfEach(t *testing.T) map[string]string {
	t.Helper()
	var answer struct {
		Data struct {
			Active []struct {
				Labels    map[string]string `json:"labels"`
				ScrapeURL string            `json:"scrapeUrl"`
			} `json:"activeTargets"`
		} `json:"data"`
	}
	body := get(t, p.api+"/targets?state=active&scrapePool=hmp", nil).body
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	replicas := make(map[string]string)
	for _, target := range answer.Data.Active {
		instance := target.Labels["instance"]
		if before, ok := replicas[instance]; ok {
			t.Errorf("%s is scraped from %s and from %s", instance, before, target.ScrapeURL)
		}
		replicas[instance] = addressPattern.FindString(target.ScrapeURL)
	}
	return replicas
}

// reconfigure has the server load another configuration.
func (p prometheus) reconfigure(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.pid, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}
