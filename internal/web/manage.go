package web

import (
	"bytes"
	"fmt"
	"net/http"

	"hmp_exporter/internal/report"
)

// config answers with the configuration in use.
func (h *handler) config(w http.ResponseWriter, _ *http.Request) {
	text, err := h.Store.Config().YAML()
	if err != nil {
		http.Error(w, "the configuration cannot be written as YAML: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", plainText)
	_, _ = w.Write(text)
}

// lastResults answers with the last results as JSON. It does not probe.
func (h *handler) lastResults(w http.ResponseWriter, r *http.Request) {
	var text bytes.Buffer
	if err := report.WriteLast(&text, h.Collector.Last()); err != nil {
		http.Error(w, "the results cannot be written as JSON: "+err.Error(), http.StatusInternalServerError)
		return
	}
	writePage(w, r, "application/json", text.Bytes())
}

func (h *handler) healthy(w http.ResponseWriter, _ *http.Request) { say(w, "hmp_exporter is healthy.") }

// ready needs no check, because the exporter listens only after it has loaded a configuration.
func (h *handler) ready(w http.ResponseWriter, _ *http.Request) { say(w, "hmp_exporter is ready.") }

func (h *handler) reload(w http.ResponseWriter, _ *http.Request) {
	if !h.Lifecycle {
		http.Error(w, "reloading over HTTP is not enabled: start with --web.enable-lifecycle, or send SIGHUP", http.StatusForbidden)
		return
	}
	resume := suspendWriteTimeout(w)
	err := h.Reload()
	resume()
	if err != nil {
		http.Error(w, "failed to reload the configuration; the old one stays\n"+err.Error(), http.StatusInternalServerError)
		return
	}
	say(w, "reloaded the configuration")
}

const plainText = "text/plain; charset=utf-8"

func say(w http.ResponseWriter, line string) {
	w.Header().Set("Content-Type", plainText)
	fmt.Fprintln(w, line)
}
