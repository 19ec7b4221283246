package web

import (
	"fmt"
	"net/http"
)

func (h *handler) healthy(w http.ResponseWriter, _ *http.Request) {
	writeLine(w, "hmp_exporter is healthy.")
}

// ready needs no check, because the exporter listens only after it has loaded a configuration.
func (h *handler) ready(w http.ResponseWriter, _ *http.Request) {
	writeLine(w, "hmp_exporter is ready.")
}

const plainText = "text/plain; charset=utf-8"

func writeLine(w http.ResponseWriter, line string) {
	w.Header().Set("Content-Type", plainText)
	fmt.Fprintln(w, line)
}
