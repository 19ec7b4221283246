package scenarios

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hmp_exporter/internal/exportertest"
)

// TestTokenFileThatHangs has a token file whose opening does not return, as on a network
// file system whose server is away. Only the session with this file is without a result of
// its HMP. No scrape adds a thread, and the exporter ends when told to.
func TestTokenFileThatHangs(t *testing.T) {
	t.Parallel()
	const scrapers, scrapes, timeout = 4, 5, 4 * time.Second
	sessions := numbered("fixed", 10)
	url := serve(t, hmpWith(append(sessions, "hung", "filed"), valid))
	dir := t.TempDir()
	configuration := "targets:\n" + targetOf("studio", url, sessions, "timeout: 1s")
	for _, s := range []string{"hung", "filed"} {
		file := filepath.Join(dir, s)
		if err := os.WriteFile(file, []byte(secretOf(s)), 0o600); err != nil {
			t.Fatal(err)
		}
		configuration += fmt.Sprintf("      - {name: %s, token_file: %s}\n", s, file)
	}
	e := start(t, "", configuration+targetOf("tower", url, sessions, "timeout: 1s"))
	allValid := func() bool { return e.scrape(t, "/metrics", timeout).of("").only(22, "valid") }
	if !allValid() {
		t.Fatal("the sessions are not valid to begin with")
	}

	release := hangOpen(t, filepath.Join(dir, "hung"))
	var mu sync.Mutex
	var late, wrong int
	results := make(counts)
	scrape := func() {
		p := e.scrape(t, "/metrics", timeout)
		mu.Lock()
		defer mu.Unlock()
		if p.status != 200 || p.took > timeout {
			late++
			return
		}
		others := make(counts)
		for _, r := range p.results() {
			if r.session == "hung" {
				results[r.result]++
			} else {
				others[r.result]++
			}
		}
		if !others.only(21, "valid") {
			wrong++
		}
	}
	scrape()
	before := e.threads(t)
	var wg sync.WaitGroup
	for range scrapers {
		wg.Go(func() {
			for range scrapes {
				scrape()
			}
		})
	}
	wg.Wait()
	after := e.threads(t)
	const all = 1 + scrapers*scrapes
	t.Logf("%d scrapes: %d late or without an answer, %d with another session that is not valid, the session is %v; %d threads, then %d", all, late, wrong, results, before, after)
	if late > 0 || wrong > 0 || !results.only(all, "credentials", "timeout") {
		t.Error("the file holds up more than its session")
	}
	if after > before+scrapers { // the runtime may start one for a processor or a signal
		t.Errorf("there were %d threads and are %d: each scrape adds some", before, after)
	}

	release()
	if late == 0 {
		exportertest.WaitFor(t, "the file to be read again", allValid)
	}
	release = hangOpen(t, filepath.Join(dir, "hung"))
	scrape()
	e.Signal(t, syscall.SIGTERM)
	select {
	case <-e.Ended():
		if err := e.Err(); err != nil {
			t.Errorf("after SIGTERM the exporter ended with %v:\n%s", err, e.Log)
		}
	case <-time.After(exportertest.Timeout / 2):
		e.Signal(t, syscall.SIGQUIT) // which writes what each goroutine does
		release()
		select {
		case <-e.Ended():
		case <-time.After(exportertest.Timeout / 2):
		}
		t.Errorf("%v after SIGTERM the exporter still runs:\n%s", exportertest.Timeout/2, e.Log)
	}
}

// hangOpen makes every open of a file hang until release is called or the test ends. It
// asks the kernel to be asked for permission, and does not answer.
func hangOpen(t *testing.T, file string) (release func()) {
	t.Helper()
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, unix.O_RDONLY)
	if err == nil {
		release = sync.OnceFunc(func() { _ = unix.Close(fd) })
		t.Cleanup(release)
		err = unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_PERM, unix.AT_FDCWD, file)
	}
	switch {
	case err == nil:
	case os.Getenv("CI") != "" && os.Getuid() == 0:
		t.Fatalf("cannot make a file hang: %v", err)
	default:
		t.Skipf("skipped: cannot make a file hang: %v; this takes root (CAP_SYS_ADMIN) and a kernel with FANOTIFY_ACCESS_PERMISSIONS", err)
	}
	return release
}

var threads = regexp.MustCompile(`(?m)^Threads:\s+(\d+)$`)

// threads returns how many threads the exporter has.
func (e *exporter) threads(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.PID))
	if err != nil {
		t.Fatal(err)
	}
	m := threads.FindSubmatch(status)
	if m == nil {
		t.Fatalf("no number of threads in\n%s", status)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
