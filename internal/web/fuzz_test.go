package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"hmp_exporter/collector"
)

// FuzzProbe asks for a probe with any query. The collector is asked only for what the query names,
// once and exactly. Otherwise there is an error that is safe to show.
func FuzzProbe(f *testing.F) {
	for _, query := range []string{
		"", "target=", "session=playout", "target=studio", "target=studio&session=playout", "target=studio&session=", "target=studio&session",
		"target=studio&target=studio", "target=studio&session=playout&session=playout", "Target=studio", "target=%73tudio&session=play%6Fut", "target=studio%00", "target=studio+",
		"tar%67et=studio", "target%00=studio", "target=http://127.0.0.1:1", "target=studio;session=playout", "%zz=1&target=studio", "target=studio&x=%zz", "&&target=studio&&", "=studio",
		"target=a%0D%0ASet-Cookie:+b", "target=%ff%fe", "target=%3Cscript%3Ealert(1)%3C/script%3E", "target=" + strings.Repeat("a", 4<<10), strings.Repeat("target=studio&", 1000),
	} {
		f.Add(query)
	}
	probes := &fake{results: validResults(1)}
	handler := newHandler(f, probes, maxRequests(1))
	f.Fuzz(func(t *testing.T, query string) {
		probes.requests = nil
		r := httptest.NewRequest(http.MethodGet, "/probe", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)

		values, err := url.ParseQuery(query)
		named := err == nil && len(values["target"]) == 1 && values.Get("target") != "" &&
			(!values.Has("session") || len(values["session"]) == 1 && values.Get("session") != "")
		if !named {
			if w.Code != http.StatusBadRequest || len(probes.requests) > 0 {
				t.Errorf("%.300q: status %d, and probes %v", query, w.Code, probes.requests)
			}
			checkError(t, w)
			return
		}
		if want := (collector.Request{Target: values.Get("target"), Session: values.Get("session")}); len(probes.requests) != 1 || probes.requests[0] != want {
			t.Errorf("%.300q: probes %v, want %v", query, probes.requests, want)
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
}
