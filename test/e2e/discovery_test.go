package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scrapeConfigs are the configurations in a document that scrape the exporter at localhost:10042, as whole files, with
// another address in its place and a scrape every two seconds: with one, a probe has too little time for a login.
func scrapeConfigs(t *testing.T, document, exporter string) (configs []string) {
	t.Helper()
	for _, block := range yamlBlock.FindAllStringSubmatch(string(read(t, document)), -1) {
		if !strings.HasPrefix(block[1], "scrape_configs:") {
			continue
		}
		text := "global:\n  scrape_interval: 30s\n  scrape_timeout: 15s\n" + block[1]
		configs = append(configs, quickly(t, text, "localhost:10042", strings.TrimPrefix(exporter, "http://")))
	}
	return configs
}

// TestDocumentedScrapes has a real Prometheus scrape a fleet as the documents say, all ways that they know: every
// session is there once, and each scrape tells what it is of.
func TestDocumentedScrapes(t *testing.T) {
	t.Parallel()
	hmps := startFleet(t)
	exporter := hmps.startReplica(t).url(t)
	var names, sessions []string
	for _, name := range slices.Sorted(maps.Keys(hmps)) {
		names = append(names, name)
		for _, session := range sessionsOfEach {
			sessions = append(sessions, name+"/"+session)
		}
	}
	slices.Sort(sessions)

	ways := map[string]struct {
		document, has string
		instances     []string
	}{
		"list by hand":       {"../../docs/scaling.md", "targets: [studio, lab]", []string{"lab", "studio"}},
		"discovered targets": {"../../README.md", "/sd\n", names},
		"sessions":           {"../../docs/scaling.md", "/sd?by=session\n", sessions},
	}
	for way, want := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(scrapeConfigs(t, want.document, exporter), func(c string) bool { return strings.Contains(c, want.has) })
			if i < 0 {
				t.Fatalf("%s has no configuration with %q", want.document, want.has)
			}
			server := runPrometheus(t, scrapeConfigs(t, want.document, exporter)[i])
			server.awaitScrapes(t, len(want.instances))

			asked := server.replicaOfEach(t)
			if diff := cmp.Diff(want.instances, slices.Sorted(maps.Keys(asked))); diff != "" {
				t.Errorf("instances (-want +got):\n%s", diff)
			}
			var scraped []string // the sessions of these instances
			for _, s := range sessions {
				name, _, _ := strings.Cut(s, "/")
				if slices.Contains(want.instances, name) || slices.Contains(want.instances, s) {
					scraped = append(scraped, s)
				}
			}
			if diff := cmp.Diff(scraped, server.sessions(t, `hmp_session_valid{job="hmp"} == 1`)); diff != "" {
				t.Errorf("valid sessions (-want +got):\n%s", diff)
			}
			for _, s := range server.query(t, `hmp_session_valid{job="hmp"}`) {
				if of, _, _ := strings.Cut(s.Labels["instance"], "/"); of != s.Labels["target"] {
					t.Errorf("a session of %s is scraped as instance %s", s.Labels["target"], of)
				}
			}
		})
	}
}
