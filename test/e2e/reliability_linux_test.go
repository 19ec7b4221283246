package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"hmp_exporter/internal/exportertest"
)

// TestTokenFileThatHangs has a token file whose opening does not return, as on a network file
// system without a server. Only its own session has no result of HMP. Scrapes do not add
// threads, and SIGTERM ends the exporter.
func TestTokenFileThatHangs(t *testing.T) {
	t.Parallel()
	const scrapers, scrapes = 4, 4
	sessions := numbered("static", 10)
	url := serve(t, newHMP(append(sessions, "hung", "file"), valid))
	dir := t.TempDir()
	config := targetConfig("studio", url, sessions, "timeout: 5s")
	for _, name := range []string{"hung", "file"} {
		config += fmt.Sprintf("      - {name: %s, token_file: %s}\n", name, write(t, dir, name, secretOf(name)))
	}
	exporter := startTargets(t, "", config+targetConfig("tower", url, sessions, "timeout: 5s"))
	allValid := func() bool { return exporter.scrape(t).count("").only(22, "valid") }
	if !allValid() {
		t.Fatal("the sessions are not valid before")
	}

	release := hangOpen(t, filepath.Join(dir, "hung"))
	scrape := func() {
		p := exporter.scrape(t)
		others, hung := make(counts), ""
		for _, r := range p.results() {
			if r.session == "hung" {
				hung = r.result
			} else {
				others[r.result]++
			}
		}
		if p.took > scrapeTimeout || !others.only(21, "valid") || hung != "credentials" && hung != "timeout" {
			t.Errorf("status %d after %v: the session is %q, the others are %v", p.status, p.took, hung, others)
		}
	}
	scrape()
	before := exporter.threads(t)
	var wg sync.WaitGroup
	for range scrapers {
		wg.Go(func() {
			for range scrapes {
				scrape()
			}
		})
	}
	wg.Wait()
	if after := exporter.threads(t); after > before+scrapers { // the runtime may start a few
		t.Errorf("there were %d threads and are %d: each scrape adds some", before, after)
	}
	release()
	exportertest.WaitFor(t, "a new read of the file", allValid)

	hangOpen(t, filepath.Join(dir, "hung"))
	scrape()
	exporter.Signal(t, syscall.SIGTERM)
	exportertest.WaitFor(t, "the exporter to end", exporter.ended)
	if err := exporter.Err(); err != nil {
		t.Errorf("after SIGTERM the exporter ended with %v", err)
	}
}

// hangOpen makes every open of a file hang until release is called or the test ends. The
// kernel asks this process for permission, and gets no answer.
func hangOpen(t *testing.T, file string) (release func()) {
	t.Helper()
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, unix.O_RDONLY)
	if err == nil {
		release = sync.OnceFunc(func() { _ = unix.Close(fd) })
		t.Cleanup(release)
		err = unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_PERM, unix.AT_FDCWD, file)
	}
	if err != nil {
		exportertest.LeaveOut(t, "a file that hangs needs root and a kernel with FANOTIFY_ACCESS_PERMISSIONS: %v", err)
	}
	return release
}

var threads = regexp.MustCompile(`(?m)^Threads:\s+(\d+)$`)

// threads returns the number of threads of the exporter.
func (p *process) threads(t *testing.T) int {
	t.Helper()
	status := read(t, fmt.Sprintf("/proc/%d/status", p.PID))
	m := threads.FindStringSubmatch(status)
	if m == nil {
		t.Fatalf("no number of threads in\n%s", status)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
