package web

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"hmp_exporter/internal/canary"
)

// A reply is what a client saw of one request.
type reply struct {
	status int
	header http.Header
	body   string // as it is once it has been decompressed
}

// newClient returns a client that asks for nothing of its own accord.
func newClient(t testing.TB) *http.Client {
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// do makes a request that has to be answered, and looks for secrets in the answer.
func do(t testing.TB, client *http.Client, method, url string, header ...string) reply {
	t.Helper()
	r, err := try(t.Context(), t, client, method, url, header...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func try(ctx context.Context, t testing.TB, client *http.Client, method, url string, header ...string) (reply, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(header, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return reply{}, err
		}
	}
	text, err := io.ReadAll(body)
	canary.Check(t, method+" "+url, string(text))
	canary.Check(t, "the header of "+url, fmt.Sprint(resp.Header))
	return reply{resp.StatusCode, resp.Header, string(text)}, err
}

// want checks the status of a reply, and that its body has all the parts.
func (r reply) want(t testing.TB, status int, parts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d: %.300s", r.status, status, r.body)
	}
	for _, part := range parts {
		if !strings.Contains(r.body, part) {
			t.Errorf("%q is not in the answer: %.600s", part, r.body)
		}
	}
}

// families parses an exposition by its Content-Type. OpenMetrics is read as the
// plain text that it nearly is: the parser for it takes seconds. And it is read
// without a gauge and a counter of client_golang that have the same name there,
// which Prometheus takes and the parsers of expfmt do not.
func (r reply) families(t testing.TB) map[string]*dto.MetricFamily {
	t.Helper()
	r.want(t, http.StatusOK)
	format := expfmt.ResponseFormat(r.header)
	if format == expfmt.FmtUnknown {
		t.Fatalf("Content-Type %q is of no exposition", r.header.Get("Content-Type"))
	}
	if format.FormatType() != expfmt.TypeOpenMetrics {
		return decode(t, r.body, format)
	}
	lines := slices.DeleteFunc(slices.Collect(strings.Lines(r.body)), func(line string) bool {
		return strings.Contains(line, "go_memstats_alloc_bytes")
	})
	return decode(t, strings.Join(lines, ""), expfmt.FmtText)
}

func decode(t testing.TB, exposition string, format expfmt.Format) map[string]*dto.MetricFamily {
	t.Helper()
	decoder := expfmt.NewDecoder(strings.NewReader(exposition), format)
	families := make(map[string]*dto.MetricFamily)
	for {
		f := new(dto.MetricFamily)
		err := decoder.Decode(f)
		if errors.Is(err, io.EOF) {
			return families
		}
		if err != nil {
			t.Fatalf("failed to parse an exposition: %v", err)
		}
		families[f.GetName()] = f
	}
}

// series returns the series of an exposition whose name has a prefix, sorted, each
// as a name and its labels.
func (r reply) series(t testing.TB, prefix string) []string {
	t.Helper()
	var series []string
	for name, f := range r.families(t) {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			slices.Sort(labels)
			series = append(series, name+"{"+strings.Join(labels, ",")+"}")
		}
	}
	slices.Sort(series)
	return series
}
