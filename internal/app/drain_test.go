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

// TestDrain sends SIGTERM while 50 scrapers ask without a pause, half of them on kept
// connections. Each scrape is answered, or its connection is refused.
func TestDrain(t *testing.T) {
	const rounds, attempts = 2, 3
	slow := hmpsim.New()
	slow.SetToken(canary.Word+"-playout", hmpsim.Delay(200*time.Millisecond, hmpsim.Valid(hmpsim.ExampleSession())))
	file := exportertest.Configure(t, slow, "playout")
	for round := range rounds {
		t.Run(fmt.Sprint(round+1), func(t *testing.T) {
			// The program waits a second for the request of a new connection. A busy
			// machine may need longer, but rarely every time.
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

// drainUnderLoad ends a program under load. It returns the error of a scrape that was neither
// answered nor refused.
func drainUnderLoad(t *testing.T, file string) error {
	t.Helper()
	const scrapers = 50
	// Without a limit: a scraper that gets a 503 would come back at once, thousands of times
	// a second.
	p := start(t, "--config.file="+file, "--web.max-requests=0")
	var answered atomic.Int32
	var group errgroup.Group
	for i := range scrapers {
		transport := &http.Transport{DisableKeepAlives: i%2 == 0}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: canary.Transport(t, transport)}
		group.Go(func() error {
			for {
				if err := scrapePlayout(client, p.URL); errors.Is(err, syscall.ECONNREFUSED) {
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
	stop(t, p)
	err := group.Wait()
	t.Logf("%d answers before SIGTERM, %d after", before, answered.Load()-before)
	return err
}

// scrapePlayout makes a scrape. It returns an error unless the session is valid.
func scrapePlayout(client *http.Client, url string) error {
	resp, err := client.Get(url + "/probe?target=studio")
	if err != nil {
		return fmt.Errorf("a scrape was not answered: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("an answer was cut short: %w", err)
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), playoutValid) {
		return fmt.Errorf("got %s: %.300s", resp.Status, body)
	}
	return nil
}

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
			appendTo(t, file, "global: {timeout: 10m}\n")
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
			exportertest.WaitFor(t, "the listener to close", func() bool { return !listens(p.URL) })
			select {
			case <-p.Ended():
				t.Fatalf("it did not wait for the scrape:\n%s", p.Log)
			default:
			}
			exportertest.WaitFor(t, "it to end", func() bool {
				p.Signal(t, s) // repeated, because two signals at once count as one
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
			err := p.Err()
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

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	exportertest.WriteFile(t, file, string(before)+text)
}

func listens(url string) bool {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), 10*time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// TestSignalDuringReload sends SIGTERM while the program reads a large configuration.
func TestSignalDuringReload(t *testing.T) {
	file := exportertest.Configure(t, hmpsim.New(), "playout")
	p := start(t, "--config.file="+file)
	appendTo(t, file, strings.Repeat("# a comment that takes time to read\n", 400_000))
	for range 20 {
		p.Signal(t, syscall.SIGHUP)
	}
	stop(t, p)
	if !strings.Contains(p.Log.String(), `msg="stopped hmp_exporter"`) {
		t.Errorf("it did not say that it stopped:\n%s", p.Log)
	}
}
