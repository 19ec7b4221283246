package web

import (
	"bytes"
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
