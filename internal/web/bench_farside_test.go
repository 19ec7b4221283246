package web

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"hmp_exporter/internal/hmpsim"
)

// farSide is the variable of the environment that makes this program the other
// process of a benchmark.
const farSide = "HMP_EXPORTER_TEST_FAR_SIDE"

const farSideToken = "bench-token"

// A farSideProcess is all that an exporter has to do with: an HMP, at two URLs, and
// a Prometheus, which scrapes when it is told to.
type farSideProcess struct {
	farSideHello
	orders  *json.Encoder
	reports *json.Decoder
}

// A farSideHello is the first that the process says.
type farSideHello struct{ HTTP, HTTPS, CA string }

// A farSideOrder is to scrape a URL so many times, one after the other.
type farSideOrder struct {
	URL   string
	Times int
}

// A farSideReport is on an order: an error, or the last answer.
type farSideReport struct {
	Error             string
	Body, ContentType string
}

func startFarSide(b *testing.B) *farSideProcess {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), farSide+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close() // which ends it
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	p := &farSideProcess{orders: json.NewEncoder(stdin), reports: json.NewDecoder(stdout)}
	if err := p.reports.Decode(&p.farSideHello); err != nil {
		b.Fatal(err)
	}
	return p
}

// scrape has a URL scraped so many times and returns the last answer.
func (p *farSideProcess) scrape(b *testing.B, url string, times int) reply {
	b.Helper()
	if err := p.orders.Encode(farSideOrder{url, times}); err != nil {
		b.Fatal(err)
	}
	var report farSideReport
	if err := p.reports.Decode(&report); err != nil {
		b.Fatal(err)
	}
	if report.Error != "" {
		b.Fatal(report.Error)
	}
	return reply{status: http.StatusOK, header: http.Header{"Content-Type": {report.ContentType}}, body: report.Body}
}

// beFarSide is the other process, until its standard input ends.
func beFarSide() {
	if err := runFarSide(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runFarSide(orders io.Reader, reports io.Writer) error {
	sim := hmpsim.New()
	sim.SetToken(farSideToken, hmpsim.Valid(hmpsim.ExampleSession()))
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		return err
	}
	certificate, err := authority.Certificate(hmpsim.CertificateOptions{})
	if err != nil {
		return err
	}
	plain, err := sim.Start(hmpsim.ListenConfig{})
	if err != nil {
		return err
	}
	defer plain.Close()
	secure, err := sim.Start(hmpsim.ListenConfig{Certificate: &certificate})
	if err != nil {
		return err
	}
	defer secure.Close()

	in, out := json.NewDecoder(orders), json.NewEncoder(reports)
	if err := out.Encode(farSideHello{plain.URL, secure.URL, string(authority.PEM())}); err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	for {
		var order farSideOrder
		if err := in.Decode(&order); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		var report farSideReport
		for range order.Times {
			if err := report.scrape(client, order.URL); err != nil {
				report.Error = err.Error()
				break
			}
		}
		if err := out.Encode(report); err != nil {
			return err
		}
	}
}

// scrape asks as Prometheus does, and checks the answer.
func (r *farSideReport) scrape(client *http.Client, url string) error {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", prometheusAccept)
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", "Prometheus/3.9.0")
	req.Header.Set(scrapeTimeoutHeader, "10")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return err
		}
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	r.Body, r.ContentType = string(text), resp.Header.Get("Content-Type")
	if resp.StatusCode != http.StatusOK || !strings.Contains(r.Body, `hmp_session_valid{session="only",target="bench"} 1`) {
		return fmt.Errorf("%s answers %s: %.500s", url, resp.Status, r.Body)
	}
	return nil
}
