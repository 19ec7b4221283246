package web

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"github.com/prometheus/common/version"

	"hmp_exporter/collector"
)

var (
	//go:embed index.html
	indexHTML string
	//go:embed style.css
	styleCSS []byte

	indexPage = template.Must(template.New("index").Parse(indexHTML))
)

// index shows what is configured and what scrapes last saw of it. It does not
// probe: a page that someone leaves open must not be a scraper.
func (h *handler) index(w http.ResponseWriter, _ *http.Request) {
	var page bytes.Buffer
	err := indexPage.Execute(&page, struct {
		Version   string
		Telemetry string
		Results   []collector.Result
	}{version.Version, h.TelemetryPath, h.Collector.Last()})
	if err != nil {
		http.Error(w, "failed to write the page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	contentType(w, "text/html; charset=utf-8")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(page.Bytes())
}

func style(w http.ResponseWriter, _ *http.Request) {
	contentType(w, "text/css; charset=utf-8")
	_, _ = w.Write(styleCSS)
}
