package web

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/prometheus/common/version"
)

var (
	//go:embed layout.html
	layoutHTML string
	//go:embed status.html
	statusHTML string
	//go:embed session.html
	sessionHTML string
	//go:embed style.css
	styleCSS []byte
	//go:embed live.js
	liveJS []byte

	statusPage  = parsePage(statusHTML)
	sessionPage = parsePage(sessionHTML)
)

// parsePage parses the template of a page, which fills in the parts that the layout has.
func parsePage(text string) *template.Template {
	return template.Must(template.Must(template.New("layout").Parse(layoutHTML)).Parse(text))
}

// frame is what all pages have in common.
type frame struct {
	Title     string
	Version   string
	Interval  time.Duration // see [Options]
	Telemetry string
	Now       moment
	Reload    reloadState
}

// A reloadState is how the last attempt to load the configuration ended.
type reloadState struct {
	Loaded bool // there is a configuration
	OK     bool // the last attempt succeeded
	Last   moment
}

func (h *handler) frame(title string, now time.Time) frame {
	ok, last := h.Store.Status()
	return frame{
		Title:     title,
		Version:   version.Version,
		Interval:  h.ProbeInterval,
		Telemetry: h.TelemetryPath,
		Now:       momentOf(now, now, 0),
		Reload:    reloadState{Loaded: h.Store.Config() != nil, OK: ok, Last: momentOf(last, now, 0)},
	}
}

// render writes a page as a whole, or an error.
func render(w http.ResponseWriter, r *http.Request, page *template.Template, data any) {
	var text bytes.Buffer
	if err := page.Execute(&text, data); err != nil {
		http.Error(w, "failed to write the page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	// Not no-referrer, with which a browser does not say that a form is of this origin.
	w.Header().Set("Referrer-Policy", "same-origin")
	compressed(w, r, "text/html; charset=utf-8", text.Bytes())
}

// compressed answers with a text, compressed if that is welcome.
func compressed(w http.ResponseWriter, r *http.Request, kind string, text []byte) {
	contentType(w, kind)
	header := w.Header()
	header.Set("Vary", "Accept-Encoding")
	if !acceptsGzip(r.Header) {
		_, _ = w.Write(text)
		return
	}
	header.Set("Content-Encoding", "gzip")
	z := gzips.Get().(*gzip.Writer)
	z.Reset(w)
	_, _ = z.Write(text)
	_ = z.Close() // who does not read on knows
	z.Reset(nil)
	gzips.Put(z)
}

// asset returns a handler of a file of the program.
func asset(kind string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		contentType(w, kind)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(content)
	}
}
