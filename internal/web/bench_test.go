//go:build unix

package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/collector"
	"hmp_exporter/config"
	"hmp_exporter/internal/hmpsim"
)

// BenchmarkProbe is what a scrape of one session costs in CPU time, against a floor:
// a handler that makes the same GET with net/http and nothing else, reads the answer
// to its end and writes a fixed text of the same size. Both take turns, a batch of
// scrapes each, and ratio is the median of those of the turns. HMP and Prometheus
// are in another process, so that what this one uses is what a scrape costs.
//
// The metric goal is what ratio should be below. B/op and allocs/op are those of one
// scrape of the exporter.
func BenchmarkProbe(b *testing.B) {
	far := startFarSide(b)
	for _, c := range []struct {
		name, hmp string
		keepAlive bool
		goal      float64
	}{
		{"http/kept", far.HTTP, true, 3.5},
		{"http/new", far.HTTP, false, 2},
		{"tls/kept", far.HTTPS, true, 3.5},
		{"tls/new", far.HTTPS, false, 2},
	} {
		b.Run(c.name, func(b *testing.B) {
			exporter := serveBenchmark(b, benchmarkExporter(b, c.hmp, far.CA, c.keepAlive)) + "/probe?target=bench"
			answer := far.scrape(b, exporter, 1)
			floor := serveBenchmark(b, benchmarkFloor(b, c.hmp, far.CA, c.keepAlive, answer))
			const batch = 200
			far.scrape(b, exporter, batch)
			far.scrape(b, floor, batch)

			var exporters, floors []cost
			for b.Loop() {
				exporters = append(exporters, costOf(func() { far.scrape(b, exporter, batch) }, batch))
				floors = append(floors, costOf(func() { far.scrape(b, floor, batch) }, batch))
			}
			var ratios []float64
			for i := range exporters {
				ratios = append(ratios, exporters[i].cpu/floors[i].cpu)
			}
			b.ReportMetric(0, "ns/op") // of two batches: it says nothing
			b.ReportMetric(median(exporters, func(c cost) float64 { return c.cpu }), "cpu-µs/scrape")
			b.ReportMetric(median(floors, func(c cost) float64 { return c.cpu }), "floor-cpu-µs/scrape")
			b.ReportMetric(median(exporters, func(c cost) float64 { return c.bytes }), "B/op")
			b.ReportMetric(median(exporters, func(c cost) float64 { return c.allocs }), "allocs/op")
			b.ReportMetric(median(ratios, func(r float64) float64 { return r }), "ratio")
			b.ReportMetric(c.goal, "goal")
		})
	}
}

// benchmarkExporter returns an exporter as main wires it, for one session.
func benchmarkExporter(b *testing.B, hmp, ca string, keepAlive bool) http.Handler {
	b.Helper()
	dir := b.TempDir()
	writeFile(b, dir, "ca.pem", ca)
	settings := "    keep_alive: " + strconv.FormatBool(keepAlive) + "\n"
	if ca != "" {
		settings += "    tls_config: {ca_file: ca.pem}\n"
	}
	writeFile(b, dir, "hmp.yml", "targets:\n  - name: bench\n    url: "+hmp+"\n"+settings+
		"    sessions: [{name: only, token: "+farSideToken+"}]\n")
	sessions := collector.New(collector.Options{MaxConcurrent: 256, TimeoutOffset: 500 * time.Millisecond, UserAgent: "hmp_exporter/bench", Logger: log.NewNopLogger()})
	b.Cleanup(sessions.Close)
	store := config.NewStore(func() (*config.Config, error) { return config.Load(filepath.Join(dir, "hmp.yml")) }, sessions.Apply)
	if err := store.Reload(); err != nil {
		b.Fatal(err)
	}
	handler, err := New(Options{
		Collector: sessions, Store: store, Logger: log.NewNopLogger(),
		TelemetryPath: "/metrics", ProbeSessions: true, MaxRequests: 40,
	})
	if err != nil {
		b.Fatal(err)
	}
	return handler
}

// benchmarkFloor returns a handler that does the least that can be done.
func benchmarkFloor(b *testing.B, hmp, ca string, keepAlive bool, answer reply) http.Handler {
	b.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca))
	transport := &http.Transport{DisableKeepAlives: !keepAlive, TLSClientConfig: &tls.Config{RootCAs: roots}}
	b.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	contentType, text := answer.header.Get("Content-Type"), []byte(answer.body)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, hmp+hmpsim.Endpoint, nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		req.Header.Set("Authorization", "Bearer "+farSideToken)
		resp, err := client.Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			http.Error(w, fmt.Sprint(resp.Status, err), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(text)
	})
}

// serveBenchmark serves as main does and returns the URL.
func serveBenchmark(b *testing.B, h http.Handler) string {
	b.Helper()
	flags := webFlags("", "127.0.0.1:0")
	listeners, err := Listen(flags)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, listeners, h, flags, slog.New(slog.DiscardHandler)) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	return URL(listeners[0])
}

// A cost is that of one scrape: the CPU time in microseconds, and what was allocated.
type cost struct{ cpu, bytes, allocs float64 }

// costOf returns the cost of each of n scrapes, which do makes.
func costOf(do func(), n float64) cost {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpuTime()
	do()
	used := cpuTime() - start
	runtime.ReadMemStats(&after)
	return cost{
		cpu:    float64(used.Nanoseconds()) / 1000 / n,
		bytes:  float64(after.TotalAlloc-before.TotalAlloc) / n,
		allocs: float64(after.Mallocs-before.Mallocs) / n,
	}
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func median[T any](all []T, value func(T) float64) float64 {
	var values []float64
	for _, v := range all {
		values = append(values, value(v))
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
