package web

import "net/http"

func (h *handler) healthy(w http.ResponseWriter, _ *http.Request) {
	writeLine(w, "hmp_exporter is healthy.")
}

// ready needs no check, because the exporter listens only after it has loaded a configuration.
func (h *handler) ready(w http.ResponseWriter, _ *http.Request) {
	writeLine(w, "hmp_exporter is ready.")
}

// handleReload loads the configuration.
func (h *handler) handleReload(w http.ResponseWriter, _ *http.Request) {
	if !h.Lifecycle {
		http.Error(w, "reloading over HTTP is not enabled: start with --web.enable-lifecycle, or send SIGHUP", http.StatusForbidden)
		return
	}
	stopWriteTimeout(w) // a slow disk may take longer
	err := h.Reload()
	startWriteTimeout(w)
	if err != nil {
		http.Error(w, "failed to reload the configuration; the old one stays\n"+err.Error(), http.StatusInternalServerError)
		return
	}
	writeLine(w, "reloaded the configuration")
}

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
