package web

import (
	"bufio"
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"time"

	"github.com/prometheus/common/version"
)

//go:embed assets
var assets embed.FS

// parsePage parses a page, which fills in the blocks of the layout.
func parsePage(file string) *template.Template {
	return template.Must(template.New("layout.html").Funcs(functions).ParseFS(assets, "assets/layout.html", "assets/"+file))
}

// pageData is what every page shows.
type pageData struct {
	Title         string
	Version       string
	Loaded        time.Time // when the configuration in use was loaded
	ReloadFailed  bool
	TelemetryPath string
	ProbeSessions bool
	ProbeInterval time.Duration
}

func (h *handler) pageData(title string) pageData {
	ok, loaded := h.Store.Status()
	return pageData{title, version.Version, loaded, !ok, h.TelemetryPath, h.ProbeSessions, h.ProbeInterval}
}

// render writes the whole page, or an error.
func render(w http.ResponseWriter, r *http.Request, page *template.Template, data any) {
	var text bytes.Buffer
	if err := page.Execute(&text, data); err != nil {
		http.Error(w, "failed to write the page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	// With no-referrer a browser would not send the origin of a form.
	w.Header().Set("Referrer-Policy", "same-origin")
	writePage(w, r, "text/html; charset=utf-8", text.Bytes())
}

func writePage(w http.ResponseWriter, r *http.Request, contentType string, text []byte) {
	w.Header().Set("Content-Type", contentType)
	_ = writeBody(w, r, true, func(out *bufio.Writer) { _, _ = out.Write(text) })
}

// asset returns a handler of an embedded file.
func asset(file, contentType string) http.HandlerFunc {
	content, err := assets.ReadFile("assets/" + file)
	if err != nil {
		panic(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(content)
	}
}
