package web

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
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
	r, err := try(t, client, method, url, header...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func try(t testing.TB, client *http.Client, method, url string, header ...string) (reply, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
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
	noCanary(t, method+" "+url, string(text))
	noCanary(t, "the header of "+url, fmt.Sprint(resp.Header))
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
			t.Errorf("%q is not in the answer: %.3000s", part, r.body)
		}
	}
}

// families parses an exposition by its Content-Type.
func (r reply) families(t testing.TB) map[string]*dto.MetricFamily {
	t.Helper()
	r.want(t, http.StatusOK)
	format := expfmt.ResponseFormat(r.header)
	if format == expfmt.FmtUnknown {
		t.Fatalf("Content-Type %q is of no exposition", r.header.Get("Content-Type"))
	}
	families := make(map[string]*dto.MetricFamily)
	decoder := expfmt.NewDecoder(strings.NewReader(r.body), format)
	for {
		f := new(dto.MetricFamily)
		switch err := decoder.Decode(f); err {
		case nil:
			families[f.GetName()] = f
		case io.EOF:
			return families
		default:
			t.Fatalf("failed to parse %s: %v", format, err)
		}
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
