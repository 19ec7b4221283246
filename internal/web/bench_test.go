package web

import (
	"net/http"
	"testing"
)

// BenchmarkScrape measures the answer to a scrape whose probes have ended. The command in
// test/bench measures a whole scrape.
func BenchmarkScrape(b *testing.B) {
	for _, bench := range []struct {
		name, path, encoding string
		sessions             int
	}{
		{"one", "/probe?target=studio&session=playout", "gzip", 1},
		{"many/plain", "/probe?target=studio", "", 1000},
		{"many/gzip", "/probe?target=studio", "gzip", 1000},
	} {
		b.Run(bench.name, func(b *testing.B) {
			handler := newHandler(b, &fake{results: validResults(bench.sessions)})
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, bench.path, nil)
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("Accept", prometheusAccept)
			req.Header.Set("Accept-Encoding", bench.encoding)
			b.ReportAllocs()
			for b.Loop() {
				w := &discard{header: make(http.Header)}
				handler.ServeHTTP(w, req)
				if w.status != http.StatusOK {
					b.Fatal(w.status)
				}
			}
		})
	}
}

// discard is a response that nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header { return d.header }

func (d *discard) WriteHeader(status int) { d.status = status }

func (d *discard) Write(p []byte) (int, error) {
	if d.status == 0 {
		d.status = http.StatusOK
	}
	return len(p), nil
}
