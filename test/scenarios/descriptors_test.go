package scenarios

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
)

// TestNoFileDescriptors has an exporter that may open few files, and clients whose
// connections use them up. The sessions, with token files and without, are saturated: no
// result blames the file or the HMP. They are valid again when the connections are closed.
func TestNoFileDescriptors(t *testing.T) {
	t.Parallel()
	const scrapes, timeout = 10, 10 * time.Second
	fixed, filed := numbered("fixed", 10), numbered("filed", 10)
	configuration := "targets:\n" + targetOf("studio", serve(t, hmpWith(append(fixed, filed...), valid)), fixed)
	dir := t.TempDir()
	for _, s := range filed {
		file := filepath.Join(dir, s)
		if err := os.WriteFile(file, []byte(secretOf(s)), 0o600); err != nil {
			t.Fatal(err)
		}
		configuration += fmt.Sprintf("      - {name: %s, token_file: %s}\n", s, file)
	}
	e := start(t, "ulimit -n 100", configuration)
	scrape := func() counts { return e.scrape(t, "/metrics", timeout).of("studio") }
	if got := scrape(); !got.only(20, "valid") {
		t.Fatalf("the results are %v to begin with", got)
	}

	var idle []net.Conn
	for range 150 {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(e.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		idle = append(idle, conn)
	}
	exportertest.WaitFor(t, "file descriptors to run out", func() bool { return !scrape().only(20, "valid") })
	results := make(counts)
	for range scrapes {
		results.add(scrape())
	}
	t.Logf("without file descriptors: %v", results)
	if !results.only(20*scrapes, "valid", "saturated") || results["saturated"] == 0 {
		t.Errorf("the results are %v, want saturated", results)
	}
	if !strings.Contains(e.Log.String(), "too many open files") {
		t.Errorf("the log does not say why:\n%.2000s", e.Log)
	}
	for _, conn := range idle {
		_ = conn.Close()
	}
	exportertest.WaitFor(t, "the sessions to be valid again", func() bool { return scrape().only(20, "valid") })
}
