package web

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestReload is that a reload replaces the configuration everywhere, or changes nothing and the
// pages say so.
func TestReload(t *testing.T) {
	e := newExporter(t, threeSessions, lifecycle)
	e.configure(strings.ReplaceAll(threeSessions, "token: ", "tokn: "))
	e.do(http.MethodPost, "/-/reload").want(t, http.StatusInternalServerError, "the old one stays", "hmp.yml:5: ", "tokn")
	for _, path := range []string{"/", playoutPage} {
		e.get(path).want(t, http.StatusOK, "The last reload of the configuration failed.", "hmp_exporter check")
	}
	e.configure(strings.ReplaceAll(threeSessions, "name: studio", "name: attic"))
	e.do(http.MethodPost, "/-/reload").want(t, http.StatusOK, "reloaded")
	e.get("/config").want(t, http.StatusOK, "name: attic")
	e.get("/sd").want(t, http.StatusOK, `"targets":["attic"]`)
	e.get("/probe?target=studio").want(t, http.StatusNotFound)
	e.get("/probe?target=attic").want(t, http.StatusOK, `hmp_session_valid{session="playout",target="attic"} 1`)
}

// TestSlowReload is that a reload may take as long as a disk does. Afterwards the client has its
// answer.
func TestSlowReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPipeServer(t, newHandler(t, new(fake), lifecycle, func(o *Options) {
			o.Reload = func() error {
				time.Sleep(2 * writeTimeout) // of the fake clock
				return nil
			}
		}), "", nil)
		s.do(http.MethodPost, "/-/reload").want(t, http.StatusOK, "reloaded the configuration")
	})
}
