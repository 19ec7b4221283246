package web

import (
	"fmt"
	"net/http"
)

// config answers with the running configuration.
func (h *handler) config(w http.ResponseWriter, _ *http.Request) {
	cfg := h.Store.Config()
	if cfg == nil {
		http.Error(w, notLoaded, http.StatusServiceUnavailable)
		return
	}
	text, err := cfg.YAML()
	if err != nil {
		http.Error(w, "the configuration cannot be written as YAML: "+err.Error(), http.StatusInternalServerError)
		return
	}
	contentType(w, plainText)
	_, _ = w.Write(text)
}

const notLoaded = "no configuration has been loaded yet"

func (h *handler) healthy(w http.ResponseWriter, _ *http.Request) {
	contentType(w, plainText)
	fmt.Fprintln(w, "hmp_exporter is healthy.")
}

func (h *handler) ready(w http.ResponseWriter, _ *http.Request) {
	if h.Store.Config() == nil {
		http.Error(w, notLoaded, http.StatusServiceUnavailable)
		return
	}
	contentType(w, plainText)
	fmt.Fprintln(w, "hmp_exporter is ready.")
}

func (h *handler) reload(w http.ResponseWriter, _ *http.Request) {
	if !h.Lifecycle {
		http.Error(w, "reloading over HTTP is not enabled: start with --web.enable-lifecycle, or send SIGHUP", http.StatusForbidden)
		return
	}
	if err := h.Reload(); err != nil {
		http.Error(w, "failed to reload the configuration; the old one stays\n"+err.Error(), http.StatusInternalServerError)
		return
	}
	contentType(w, plainText)
	fmt.Fprintln(w, "reloaded the configuration")
}

const plainText = "text/plain; charset=utf-8"

func contentType(w http.ResponseWriter, t string) { w.Header().Set("Content-Type", t) }
