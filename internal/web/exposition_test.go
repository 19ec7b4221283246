package web

import (
	"net/http"
	"strconv"
	"testing"
)

// TestEscaping asks for names in other forms, which those here do not need.
func TestEscaping(t *testing.T) {
	r := newRig(t, fleet)
	for _, escaping := range []string{"allow-utf-8", "underscores", "dots", "values"} {
		for _, path := range []string{"/metrics", "/probe?target=tower"} {
			got := r.get(path, "Accept", "application/openmetrics-text;version=1.0.0;escaping="+escaping)
			got.want(t, http.StatusOK, "\n"+`hmp_up{session="relay",target="tower"} 1`)
			if contentType := got.header.Get("Content-Type"); contentType != openMetrics+escaping {
				t.Errorf("Content-Type %q, want escaping=%s", contentType, escaping)
			}
		}
	}
}

// TestOnePiece is that the answer to a scrape of few sessions comes with its length,
// so that it takes no chunks.
func TestOnePiece(t *testing.T) {
	r := newRig(t, fleet)
	for _, accept := range []string{"", prometheusAccept} {
		got := r.get("/probe?target=studio", "Accept", accept, "Accept-Encoding", "gzip")
		if length := got.header.Get("Content-Length"); length != strconv.Itoa(len(got.body)) {
			t.Errorf("Accept %q: Content-Length %q of %d bytes", accept, length, len(got.body))
		}
	}
}

// TestFormatsInTurn has scrapers ask for different formats, one after the other: what
// was negotiated with one is not for the next.
func TestFormatsInTurn(t *testing.T) {
	r := newRig(t, fleet)
	for range 2 {
		for accept, contentType := range map[string]string{
			"":               plainType,
			prometheusAccept: openMetrics + "allow-utf-8",
			nativeAccept:     protobuf + "underscores",
		} {
			if got := r.get("/probe?target=studio", "Accept", accept).header.Get("Content-Type"); got != contentType {
				t.Errorf("Accept %q: Content-Type %q, want %q", accept, got, contentType)
			}
		}
	}
}

// TestScrapeTakesLittleMemory is that what is made for a scrape is what is sent: no
// handler, no registry, no families.
func TestScrapeTakesLittleMemory(t *testing.T) {
	handler := handlerOf(t, &fake{results: someResults(1)})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/probe?target=studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", prometheusAccept)
	allocations := testing.AllocsPerRun(100, func() {
		handler.ServeHTTP(&discard{header: make(http.Header)}, req)
	})
	if allocations > 60 { // some thirty, and a hundred and more by way of families
		t.Errorf("%.0f allocations for a scrape", allocations)
	}
}
