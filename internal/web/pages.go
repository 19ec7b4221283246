package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/prometheus/common/version"

	"hmp_exporter/collector"
	"hmp_exporter/internal/report"
)

//go:embed assets
var assets embed.FS

// parsePage parses a page, which fills in the blocks of the layout.
func parsePage(file string) *template.Template {
	return template.Must(template.New("layout.html").Funcs(functions).ParseFS(assets, "assets/layout.html", "assets/"+file))
}

// functions are the functions of the templates.
var functions = template.FuncMap{
	"info":      infoOf,
	"sent":      func(r *collector.Result) bool { _, sent := r.Up(); return sent },
	"chart":     newHistoryChart,
	"phases":    newPhaseBars,
	"allPhases": collector.Result{}.Phases.Each,
	"login":     collector.LoginResult,

	"now":     time.Now,
	"iso":     func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") },
	"utc":     func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" },
	"ago":     func(t time.Time) string { return relative(time.Until(t)) },
	"age":     age,
	"since":   func(t time.Time) string { return age(time.Since(t)) },
	"latency": latency,
	"size":    size,
	"count":   report.Plural,
	"join":    func(names []string) string { return strings.Join(names, ", ") },
	"deref":   func(pointer any) any { return reflect.ValueOf(pointer).Elem().Interface() },

	"tokenEnd": func(r *collector.Result) *expiry {
		if r.Logins == nil {
			return nil
		}
		return newExpiry(r.Logins.TokenExpiry, time.Minute)
	},
	"certificateEnd": func(t time.Time) *expiry { return newExpiry(t, 30*24*time.Hour) },
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
	writeCompressed(w, r, "text/html; charset=utf-8", text.Bytes())
}

// asset returns a handler of an embedded file.
func asset(file, contentType string) http.HandlerFunc {
	content, err := assets.ReadFile("assets/" + file)
	if err != nil {
		panic(err)
	}
	etag := fmt.Sprintf(`"%x"`, sha256.Sum256(content))
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache") // browsers keep it, and ask each time whether it has changed
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, file, time.Time{}, bytes.NewReader(content))
	}
}
