package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// startExporter starts the exporter.
func startExporter(t *testing.T, args ...string) *process {
	t.Helper()
	p := start(t, command(t, exporterBinary, append(args, "--web.listen-address=127.0.0.1:0")...))
	p.waitForURL(t)
	return p
}

// scrapeTimeout is the timeout of a scraper. It is long: a probe of a hung HMP ends at the
// target's timeout, 10 s, and a busy machine has time for the answer.
const scrapeTimeout = 40 * time.Second

// startTargets starts the exporter with a configuration of targets. A shell prepares it, for
// example with "ulimit -n 100".
func startTargets(t *testing.T, shell, targets string, args ...string) *process {
	t.Helper()
	need(t, exporterBinary)
	file := write(t, t.TempDir(), "hmp.yml", "targets:\n"+targets)
	p := start(t, command(t, "sh", append([]string{
		"-c", shell + "\n" + `exec "$@"`, "sh",
		exporterBinary, "--config.file=" + file, "--web.listen-address=127.0.0.1:0",
	}, args...)...))
	p.waitForURL(t)
	return p
}

// A page is the answer to a scrape.
type page struct {
	status int // 0 if there was no answer
	text   string
	took   time.Duration
}

// scrape scrapes /metrics.
func (p *process) scrape(t *testing.T) page {
	t.Helper()
	return p.scrapePath(t, "/metrics")
}

// probeAll scrapes /probe with each of some queries at once.
func (p *process) probeAll(t *testing.T, queries []string) []page {
	t.Helper()
	pages := make([]page, len(queries))
	var wg sync.WaitGroup
	for i, query := range queries {
		wg.Go(func() { pages[i] = p.scrapePath(t, "/probe?"+query) })
	}
	wg.Wait()
	return pages
}

func (p *process) scrapePath(t *testing.T, path string) page {
	t.Helper()
	begin := time.Now()
	res, err := fetch(t, p.URL+path, http.Header{
		"X-Prometheus-Scrape-Timeout-Seconds": {fmt.Sprint(scrapeTimeout.Seconds())},
	})
	if err != nil {
		return page{text: err.Error(), took: time.Since(begin)}
	}
	return page{res.status, string(res.body), time.Since(begin)}
}

// A sessionResult is the result of a session on a page.
type sessionResult struct{ target, session, result string }

var resultLine = regexp.MustCompile(`^hmp_session_probe_result\{result="(\w+)",session="([^"]+)",target="([^"]+)"\} 1$`)

// results returns the result of each session.
func (p page) results() (list []sessionResult) {
	for line := range strings.SplitSeq(p.text, "\n") {
		// Most lines are zeros. A regular expression for each would be slow.
		if !strings.HasPrefix(line, "hmp_session_probe_result{") || !strings.HasSuffix(line, " 1") {
			continue
		}
		if m := resultLine.FindStringSubmatch(line); m != nil {
			list = append(list, sessionResult{target: m[3], session: m[2], result: m[1]})
		}
	}
	return list
}

// count counts the results of the targets whose names begin with a prefix.
func (p page) count(prefix string) counts {
	c := make(counts)
	for _, r := range p.results() {
		if strings.HasPrefix(r.target, prefix) {
			c[r.result]++
		}
	}
	return c
}

// counts is the number of sessions with each result.
type counts map[string]int

func (c counts) add(others counts) {
	for name, n := range others {
		c[name] += n
	}
}

// only tells whether there are n sessions, all with one of the results.
func (c counts) only(n int, results ...string) bool {
	for name, m := range c {
		if !slices.Contains(results, name) {
			return false
		}
		n -= m
	}
	return n == 0
}

// numbered returns n names with the same prefix.
func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%03d", prefix, i)
	}
	return names
}

// secretOf returns a token, a key or the secret of a key.
func secretOf(name string) string { return canary.Word + "-" + name }

// targetConfig returns the configuration of a target. The sessions have fixed tokens.
func targetConfig(name, url string, sessions []string, options ...string) string {
	text := fmt.Sprintf("  - name: %s\n    url: %s\n", name, url)
	for _, option := range options {
		text += "    " + option + "\n"
	}
	text += "    sessions:\n"
	for _, s := range sessions {
		text += fmt.Sprintf("      - {name: %s, token: %s}\n", s, secretOf(s))
	}
	return text
}

// keyConfig returns the configuration of a session with an API key.
func keyConfig(session, key string) string {
	return fmt.Sprintf("      - {name: %s, api_key: %s, api_secret: %s}\n", session, secretOf(key), secretOf(key+"-secret"))
}

// serve starts a simulated HMP and returns its URL.
func serve(t *testing.T, sim *hmpsim.Server) string {
	t.Helper()
	l, err := sim.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l.URL
}

// newHMP returns a simulated HMP with the same behaviour for all sessions.
func newHMP(sessions []string, b hmpsim.Behaviour) *hmpsim.Server {
	sim := hmpsim.New()
	for _, s := range sessions {
		sim.SetToken(secretOf(s), b)
	}
	return sim
}

var valid = hmpsim.Valid(hmpsim.ExampleSession())
