package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func lifecycle(o *Options) { o.Lifecycle = true }

func TestBeforeConfiguration(t *testing.T) {
	r := newRig(t, "", lifecycle)
	r.get("/-/healthy").want(t, http.StatusOK, "healthy")
	r.get("/-/ready").want(t, http.StatusServiceUnavailable, "no configuration has been loaded yet")
	r.get("/config").want(t, http.StatusServiceUnavailable, "no configuration has been loaded yet")
	r.get("/sd").want(t, http.StatusServiceUnavailable, "no configuration has been loaded yet")
	r.get("/probe?target=studio").want(t, http.StatusNotFound, `unknown target "studio"`)
	r.get("/").want(t, http.StatusOK, "No session is configured")
	r.get("/metrics").want(t, http.StatusOK,
		"hmp_exporter_config_last_reload_successful 0\n", "hmp_exporter_config_last_reload_success_timestamp_seconds 0\n")

	r.configure(fleet)
	r.do("POST", "/-/reload").want(t, http.StatusOK, "reloaded")
	r.get("/-/ready").want(t, http.StatusOK, "ready")
	r.get("/metrics").want(t, http.StatusOK, playout, "hmp_exporter_config_last_reload_successful 1\n")
}

func TestReload(t *testing.T) {
	r := newRig(t, fleet, lifecycle)
	config := r.get("/config").body
	_, loaded := r.store.Status()

	r.configure(strings.ReplaceAll(fleet, "token: ", "tokn: "))
	failed := r.do("POST", "/-/reload")
	failed.want(t, http.StatusInternalServerError, "the old one stays", "hmp.yml:5: ", "tokn")
	r.get("/-/ready").want(t, http.StatusOK)
	r.get("/metrics").want(t, http.StatusOK, playout, "hmp_exporter_config_last_reload_successful 0\n")
	if diff := cmp.Diff(config, r.get("/config").body); diff != "" {
		t.Errorf("/config has changed (-before +after):\n%s", diff)
	}
	if _, last := r.store.Status(); !last.Equal(loaded) {
		t.Errorf("a reload that failed moved the time of the last success from %v to %v", loaded, last)
	}

	r.configure(strings.ReplaceAll(fleet, "name: studio", "name: attic"))
	r.do("POST", "/-/reload").want(t, http.StatusOK, "reloaded")
	r.get("/config").want(t, http.StatusOK, "name: attic")
	r.get("/probe?target=studio").want(t, http.StatusNotFound)
	r.get("/probe?target=attic").want(t, http.StatusOK, `hmp_session_valid{session="playout",target="attic"} 1`)
	r.get("/metrics").want(t, http.StatusOK, "hmp_exporter_config_last_reload_successful 1\n")
}

// TestReloadRefused is that nobody reloads who was not allowed to.
func TestReloadRefused(t *testing.T) {
	r := newRig(t, fleet)
	r.configure(strings.ReplaceAll(fleet, "name: studio", "name: attic"))
	r.do("POST", "/-/reload").want(t, http.StatusForbidden, "--web.enable-lifecycle", "SIGHUP")
	r.get("/config").want(t, http.StatusOK, "name: studio")
}
