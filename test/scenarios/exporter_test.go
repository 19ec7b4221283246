package scenarios

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// An exporter is the program under test, and a client of it.
type exporter struct {
	*exportertest.Process
	client *http.Client
}

// offset is how much earlier than the scrape's timeout probes end. It leaves a busy machine time for the answer.
const offset = 2 * time.Second

// start runs the program with a configuration. A shell prepares it: "ulimit -n 100", say.
func start(t *testing.T, shell, configuration string, args ...string) *exporter {
	t.Helper()
	if err := readSources(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "hmp.yml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"-c", shell + "\n" + `exec "$@"`, "sh", "hmp_exporter", "--config.file=" + file, "--web.listen-address=127.0.0.1:0", "--timeout-offset=" + offset.String()}, args...)
	transport := &http.Transport{MaxIdleConnsPerHost: 200, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &exporter{
		exportertest.Start(t, exec.Command("sh", args...)),
		&http.Client{Transport: transport},
	}
}

// A page is the answer to a scrape.
type page struct {
	status int // 0 if there was no answer in time
	text   string
	took   time.Duration
}

// scrape asks for a path as Prometheus does that has this scrape_timeout.
func (e *exporter) scrape(t *testing.T, path string, timeout time.Duration) page {
	t.Helper()
	// Prometheus hangs up after the timeout. This client waits longer, so that a page that is late can be looked at.
	ctx, cancel := context.WithTimeout(t.Context(), 2*timeout+2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL+path, nil)
	if err != nil {
		t.Error(err)
		return page{}
	}
	req.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(timeout.Seconds()))
	begun := time.Now()
	resp, err := e.client.Do(req)
	if err != nil {
		return page{text: err.Error(), took: time.Since(begun)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return page{text: err.Error(), took: time.Since(begun)}
	}
	p := page{resp.StatusCode, string(body), time.Since(begun)}
	canary.Check(t, path, p.text) // which takes time of its own
	return p
}

// reload asks for a reload by SIGHUP and by HTTP, and returns when the latter has been answered.
func (e *exporter) reload(t *testing.T) {
	t.Helper()
	e.Signal(t, syscall.SIGHUP)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL+"/-/reload", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the reload was answered with %s", resp.Status)
	}
}

// A result is what a page says of a session.
type result struct{ target, session, result string }

var resultLine = regexp.MustCompile(`^hmp_session_probe_result\{result="(\w+)",session="([^"]+)",target="([^"]+)"\} 1$`)

// results returns the result of each session of a page.
func (p page) results() (list []result) {
	for line := range strings.SplitSeq(p.text, "\n") {
		// Most lines are zeros of the state set; a regular expression for each takes long.
		if !strings.HasPrefix(line, "hmp_session_probe_result{") || !strings.HasSuffix(line, " 1") {
			continue
		}
		if m := resultLine.FindStringSubmatch(line); m != nil {
			list = append(list, result{target: m[3], session: m[2], result: m[1]})
		}
	}
	return list
}

// of returns the results of the sessions of some targets, all of one name in front.
func (p page) of(prefix string) counts {
	c := make(counts)
	for _, r := range p.results() {
		if strings.HasPrefix(r.target, prefix) {
			c[r.result]++
		}
	}
	return c
}

// counts says how many sessions have a result.
type counts map[string]int

// add adds others.
func (c counts) add(others counts) {
	for name, n := range others {
		c[name] += n
	}
}

// only tells whether there are so many sessions, all with one of these results.
func (c counts) only(n int, results ...string) bool {
	for name, m := range c {
		if !slices.Contains(results, name) {
			return false
		}
		n -= m
	}
	return n == 0
}

// value returns the value of a series on a page, or "" if it is absent.
func (p page) value(series string) string {
	for line := range strings.SplitSeq(p.text, "\n") {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			return rest
		}
	}
	return ""
}

// numbered returns n names that begin alike.
func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%03d", prefix, i)
	}
	return names
}

// secretOf returns the secret of that name: a token, a key, or the secret of a key.
func secretOf(name string) string { return canary.Word + "-" + name }

// targetOf returns the configuration of a target. The sessions have fixed tokens, which secretOf names.
// Options are lines such as "keep_alive: true".
func targetOf(name, url string, sessions []string, options ...string) string {
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
