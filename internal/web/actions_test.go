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
	before := e.get("/config").body
	_, loaded := e.store.Status()
	e.configure(strings.ReplaceAll(threeSessions, "token: ", "tokn: "))
	e.do("POST", "/-/reload").want(t, http.StatusInternalServerError, "the old one stays", "hmp.yml:5: ", "tokn")
	e.get("/metrics").want(t, http.StatusOK, playout, "hmp_exporter_config_last_reload_successful 0\n")
	for _, path := range []string{"/", playoutPage} {
		e.get(path).want(t, http.StatusOK, "The last reload of the configuration failed.", "hmp_exporter check")
	}
	if after := e.get("/config").body; after != before {
		t.Errorf("/config has changed:\n%s\n%s", before, after)
	}
	if _, last := e.store.Status(); !last.Equal(loaded) {
		t.Errorf("a reload that failed moved the time of the last success from %v to %v", loaded, last)
	}

	e.configure(strings.ReplaceAll(threeSessions, "name: studio", "name: attic"))
	e.do("POST", "/-/reload").want(t, http.StatusOK, "reloaded")
	e.get("/config").want(t, http.StatusOK, "name: attic")
	e.get("/probe?target=studio").want(t, http.StatusNotFound)
	e.get("/probe?target=attic").want(t, http.StatusOK, `hmp_session_valid{session="playout",target="attic"} 1`)
	e.get("/metrics").want(t, http.StatusOK, "hmp_exporter_config_last_reload_successful 1\n")
	if got := groups(t, e.get("/sd")); len(got) != 2 || got[0].Targets[0] != "attic" {
		t.Errorf("got %v, want attic and tower", got)
	}

	other := newExporter(t, threeSessions) // without --web.enable-lifecycle
	other.configure("targets: []")
	other.do("POST", "/-/reload").want(t, http.StatusForbidden, "--web.enable-lifecycle", "SIGHUP")
	other.get("/config").want(t, http.StatusOK, "name: studio")
}

// TestSlowReload is that a reload may take as long as a disk does. Afterwards the client has its
// answer.
func TestSlowReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPipeServer(t, newHandler(t, new(fake), lifecycle, func(o *Options) {
			o.Reload = func() error {
				time.Sleep(2 * writeTimeout)
				return nil
			}
		}), "")
		do(t, s.client, http.MethodPost, "http://localhost/-/reload").want(t, http.StatusOK, "reloaded the configuration")
	})
}
