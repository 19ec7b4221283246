package app

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// TestServeDrainsUnderLoad has 50 scrapers ask without a pause when SIGTERM comes,
// half of them on connections that they keep. Who could connect is answered, the
// others are refused.
func TestServeDrainsUnderLoad(t *testing.T) {
	const rounds, attempts = 5, 3
	slow := hmpsim.New()
	slow.SetToken(canary.Word+"-playout", hmpsim.Delay(200*time.Millisecond, hmpsim.Valid(hmpsim.ExampleSession())))
	file := exportertest.Configure(t, slow, "playout")
	for round := range rounds {
		t.Run(fmt.Sprint(round+1), func(t *testing.T) {
			// The program waits a second for the request of a new connection. A machine
			// that is busy with something else may need longer, but seldom every time.
			for attempt := 1; ; attempt++ {
				switch err := drainUnderLoad(t, file); {
				case err == nil:
					return
				case attempt == attempts:
					t.Fatal(err)
				}
			}
		})
	}
}

// drainUnderLoad ends a program that scrapers ask, and returns what became of those that
// were not answered.
func drainUnderLoad(t *testing.T, file string) error {
	t.Helper()
	const scrapers = 50
	// Those that are refused with a 503 would come back thousands of times a second, and
	// some in the instant in which the listener closes.
	p := start(t, "--config.file="+file, "--web.max-requests=0")
	var answered atomic.Int32
	var group errgroup.Group
	for i := range scrapers {
		transport := &http.Transport{DisableKeepAlives: i%2 == 0}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: canary.Transport(t, transport)}
		group.Go(func() error {
			for {
				if err := p.scrapeOnce(client); errors.Is(err, syscall.ECONNREFUSED) {
					return nil
				} else if err != nil {
					return err
				}
				answered.Add(1)
			}
		})
	}
	exportertest.WaitFor(t, "scrapes to be answered", func() bool { return answered.Load() >= scrapers })
	before := answered.Load()
	if err := p.Stop(t); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Log)
	}
	err := group.Wait()
	t.Logf("%d answers before SIGTERM, %d after", before, answered.Load()-before)
	return err
}

// scrapeOnce makes a scrape, and returns why it was not answered well.
func (p *process) scrapeOnce(client *http.Client) error {
	resp, err := client.Get(p.URL + "/probe?target=studio")
	if err != nil {
		return fmt.Errorf("a scrape was not answered: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("an answer was cut short: %w", err)
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), validPlayout) {
		return fmt.Errorf("got %s: %.300s", resp.Status, body)
	}
	return nil
}

const validPlayout = `hmp_session_valid{session="playout",target="studio"} 1`

// TestSecondSignal ends the program at once, though a scrape hangs.
func TestSecondSignal(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			asked := make(chan struct{}, 1)
			hmp := hmpsim.New()
			hmp.SetToken(canary.Word+"-playout", func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
				asked <- struct{}{}
				hmpsim.Hang()(w, r, c)
			})
			file := exportertest.Configure(t, hmp, "playout")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, append(text, "global: {timeout: 10m}\n"...), 0o600); err != nil {
				t.Fatal(err)
			}
			p := start(t, "--config.file="+file)
			hung := make(chan error, 1)
			go func() {
				resp, err := http.Get(p.URL + "/metrics")
				if err == nil {
					_ = resp.Body.Close()
				}
				hung <- err
			}()
			<-asked
			p.Signal(t, s)
			exportertest.WaitFor(t, "the listener to close", func() bool { return !p.listens() })
			select {
			case <-p.Ended():
				t.Fatalf("it did not wait for the scrape:\n%s", p.Log)
			default:
			}
			exportertest.WaitFor(t, "it to end", func() bool {
				p.Signal(t, s) // again, as one that comes in the very instant of the first is the same to the program
				select {
				case <-p.Ended():
					return true
				default:
					return false
				}
			})
			if <-hung == nil {
				t.Error("the scrape was answered")
			}
			err = p.Err()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok {
				t.Fatalf("it ended with %v, want by the signal %v", err, s)
			}
			if status, is := exit.Sys().(syscall.WaitStatus); !is || status.Signal() != s {
				t.Errorf("it ended with %v, want by the signal %v", err, s)
			}
		})
	}
}

// listens tells whether somebody can connect.
func (p *process) listens() bool {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(p.URL, "http://"), 10*time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// TestSignalDuringReload is that SIGTERM ends the program in order though it reads
// a configuration that takes its time.
func TestSignalDuringReload(t *testing.T) {
	hmp := hmpsim.New()
	hmp.SetToken(canary.Word+"-playout", hmpsim.Valid(hmpsim.ExampleSession()))
	file := exportertest.Configure(t, hmp, "playout")
	p := start(t, "--config.file="+file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// As many sessions as take longer to load than two signals are apart.
	large := string(text) + strings.Repeat("      # a comment that has to be read\n", 400_000)
	if err := os.WriteFile(file, []byte(large), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		p.Signal(t, syscall.SIGHUP)
	}
	if err := p.Stop(t); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.Log)
	}
	if !strings.Contains(p.Log.String(), `msg="stopped hmp_exporter"`) {
		t.Errorf("it did not say that it stopped:\n%s", p.Log)
	}
}
