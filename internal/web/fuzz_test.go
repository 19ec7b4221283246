package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/go-kit/log"

	"hmp_exporter/collector"
	"hmp_exporter/config"
	"hmp_exporter/internal/exportertest"
)

// A recorder is a Collector that records the results of its probes.
type recorder struct {
	*collector.Collector
	results []collector.Result
}

func (c *recorder) Probe(r collector.Request) ([]collector.Result, error) {
	results, err := c.Collector.Probe(r)
	c.results = append(c.results, results...)
	return results, err
}

// similarNames are names that are easily confused. There is no token, so that no probe leaves the
// process.
const similarNames = `targets:
  - name: studio
    url: http://127.0.0.1:1
    sessions: [{name: playout, token_file: none}, {name: Playout, token_file: none}, {name: play.out, token_file: none}]
  - name: Studio
    url: http://127.0.0.1:1
    sessions: [{name: playout, token_file: none}]
  - name: studio.playout
    url: http://127.0.0.1:1
    sessions: [{name: studio, token_file: none}, {name: "1", token_file: none}]
`

// FuzzProbe asks for a probe with any query. The exporter probes only what the query names
// exactly. Otherwise there is an error that is safe to show.
func FuzzProbe(f *testing.F) {
	long := strings.Repeat("a", 4<<10)
	for _, query := range []string{
		"", "target=", "session=playout", "target=studio", "target=studio&session=playout", "target=studio&session=Playout", "target=STUDIO", "target=Studio&session=Playout",
		"target=studio.playout&session=1", "target=studio&session=", "target=studio&session", "target=studio&target=studio", "target=studio&session=playout&session=playout",
		"Target=studio", "target=%73tudio&session=play%6Fut", "target=studio%00", "target=studio+", "target=+studio", "target=%2573tudio", "tar%67et=studio", "target%00=studio",
		"target=studio/playout", "target=studio%2Fplayout", "target=../studio", "target=http://127.0.0.1:1", "target=127.0.0.1:1&session=playout", "target=studio;session=playout", "%zz=1&target=studio",
		"target=a%0D%0ASet-Cookie:+b", "target=%ff%fe", "target=%3Cscript%3Ealert(1)%3C/script%3E", "target=studio&session=%1b%5b31m", "target=%f0%9f%93%ba", "target=%e2%80%ae",
		"target=" + long, "target=studio&session=" + long, strings.Repeat("target=studio&", 1000), "target=studio&x=%zz", "&&target=studio&&", "target=studio#", "=studio",
	} {
		f.Add(query)
	}
	file := filepath.Join(f.TempDir(), "hmp.yml")
	exportertest.WriteFile(f, file, similarNames)
	cfg, err := (&config.Source{File: file}).Load()
	if err != nil {
		f.Fatal(err)
	}
	probes := &recorder{Collector: collector.New(collector.Options{MaxConcurrent: 10, Logger: log.NewNopLogger()})}
	probes.Apply(cfg)
	f.Cleanup(probes.Close)
	handler := newHandler(f, probes, maxRequests(1))
	f.Fuzz(func(t *testing.T, query string) {
		probes.results = nil
		r := httptest.NewRequest(http.MethodGet, "/probe", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)

		values, err := url.ParseQuery(query)
		named := err == nil && len(values["target"]) == 1 && len(values["session"]) <= 1
		target, session := values.Get("target"), values.Get("session")
		for _, p := range probes.results {
			if !named || p.Target != target || session != "" && p.Session != session || values.Has("session") && session == "" {
				t.Errorf("%.300q: a probe of %s, %s", query, p.Target, p.Session)
			}
			if sample := fmt.Sprintf(`hmp_session_valid{session=%q,target=%q} 0`, p.Session, p.Target); !strings.Contains(w.Body.String(), sample) {
				t.Errorf("%.300q: there is no %s", query, sample)
			}
		}
		if probed := len(probes.results) > 0; probed != (w.Code == http.StatusOK) || !probed && w.Code != http.StatusBadRequest && w.Code != http.StatusNotFound {
			t.Errorf("%.300q: status %d after %d probes", query, w.Code, len(probes.results))
		}
		if w.Code != http.StatusOK {
			checkError(t, w)
		}
	})
}

// checkError checks that an error is one short line of text.
func checkError(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	body := w.Body.String()
	line, ended := strings.CutSuffix(body, "\n")
	if len(body) > 1000 || !ended || !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) {
		t.Errorf("an error of %d bytes that cannot be shown: %.300q", len(body), body)
	}
	read(t, w.Result()).checkHeader(t)
	if n := len(w.Header()); n > 4 {
		t.Errorf("there are %d header fields: %v", n, w.Header())
	}
}
