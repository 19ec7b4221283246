package collector

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/common/expfmt"

	"hmp_exporter/config"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// BenchmarkFamilies makes metrics of results, and text of the metrics.
func BenchmarkFamilies(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("sessions=%d", n), func(b *testing.B) {
			results := make([]Result, n)
			for i := range results {
				results[i] = sampleResults()[hmp.Valid]
				results[i].Session = fmt.Sprintf("session-%d", i)
			}
			b.ReportAllocs()
			measured(b, func() { writeText(b, io.Discard, results) })
		})
	}
}

// BenchmarkProbe is one scrape of one session, less the exporter's own HTTP:
// request, decoding, metrics and text.
func BenchmarkProbe(b *testing.B) {
	wires(b, func(b *testing.B, w wire) {
		c := New(Options{MaxConcurrent: 1, UserAgent: "hmp_exporter/bench", Logger: log.NewNopLogger()})
		defer c.Close()
		c.Apply(w.load(b))
		b.ReportAllocs()
		measured(b, func() {
			results, err := c.Probe(b.Context(), Request{Target: "studio", Session: "playout", ScrapeTimeout: "10"})
			if err != nil || !results[0].Valid() {
				b.Fatalf("%+v, %v", results, err)
			}
			writeText(b, io.Discard, results)
		})
	})
}

// BenchmarkFloor is the least that a scrape can cost: the same GET, its body read
// and thrown away, and a text of the same size that was there before.
func BenchmarkFloor(b *testing.B) {
	var text lengthWriter
	writeText(b, &text, []Result{sampleResults()[hmp.Valid]})
	fixed := make([]byte, text)
	wires(b, func(b *testing.B, w wire) {
		client := http.Client{Transport: w.transport(b)}
		defer client.CloseIdleConnections()
		b.ReportAllocs()
		measured(b, func() {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, w.url+hmpsim.Endpoint, nil)
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+tokenOf("playout"))
			resp, err := client.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				b.Fatal(resp.Status, err)
			}
			_ = resp.Body.Close()
			_, _ = io.Discard.Write(fixed)
		})
	})
}

// measured loops over op and reports its CPU time, that of the kernel included:
// on the wall most of an exchange is waiting.
func measured(b *testing.B, op func()) {
	b.Helper()
	op() // makes the connection that is kept
	begin := cpu(b)
	for b.Loop() {
		op()
	}
	b.ReportMetric(float64(cpu(b)-begin)/float64(b.N), "cpu-ns/op")
}

// cpu returns the CPU time of this process.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func writeText(b *testing.B, w io.Writer, results []Result) {
	b.Helper()
	encoder := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range Families(results) {
		if err := encoder.Encode(f); err != nil {
			b.Fatal(err)
		}
	}
}

// A lengthWriter counts what is written to it.
type lengthWriter int

func (n *lengthWriter) Write(p []byte) (int, error) {
	*n += lengthWriter(len(p))
	return len(p), nil
}

// A wire is one way to reach the simulated HMP.
type wire struct {
	url  string
	ca   []byte
	keep bool
}

// wires runs a benchmark over each wire.
func wires(b *testing.B, bench func(*testing.B, wire)) {
	b.Helper()
	at := startBenchHMP(b)
	for _, w := range []struct {
		name string
		wire
	}{
		{"http/kept", wire{at.HTTP, at.CA, true}},
		{"http/new", wire{at.HTTP, at.CA, false}},
		{"https/kept", wire{at.HTTPS, at.CA, true}},
		{"https/new", wire{at.HTTPS, at.CA, false}},
	} {
		b.Run(w.name, func(b *testing.B) { bench(b, w.wire) })
	}
}

// load loads a configuration for the wire.
func (w wire) load(b *testing.B) *config.Config {
	b.Helper()
	dir := b.TempDir()
	file := filepath.Join(dir, "hmp.yml")
	settings := fmt.Sprintf("url: %s\nkeep_alive: %v\ntls_config: {ca_file: ca.pem}", w.url, w.keep)
	text := "targets:\n" + targetWith("studio", settings) + "      - {name: playout, token_file: token}\n"
	for name, content := range map[string]string{"hmp.yml": text, "ca.pem": string(w.ca), "token": tokenOf("playout")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	cfg, err := config.Load(file)
	if err != nil {
		b.Fatal(err)
	}
	return cfg
}

func (w wire) transport(b *testing.B) *http.Transport {
	b.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(w.ca) {
		b.Fatal("no certificate")
	}
	return &http.Transport{DisableKeepAlives: !w.keep, DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: pool}}
}
