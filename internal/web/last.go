package web

import (
	"bytes"
	"net/http"

	"hmp_exporter/internal/report"
)

const lastPath = "/sessions.json"

// last answers with the last results as JSON. It does not report.
func (h *handler) last(w http.ResponseWriter, r *http.Request) {
	var text bytes.Buffer
	if err := report.WriteLast(&text, h.Collector.Last()); err != nil {
		http.Error(w, "the results cannot be written as JSON: "+err.Error(), http.StatusInternalServerError)
		return
	}
	compressed(w, r, "application/json", text.Bytes())
}
