//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestService runs the unit under a real systemd, installed as its README says: within all of its restrictions the program
// listens, reads its configuration and secrets, resolves a name, reaches an HMP, reloads and ends.
func TestService(t *testing.T) {
	t.Parallel()
	hmp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer CANARY-second" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"data": {}}`)
	}))
	t.Cleanup(hmp.Close)
	_, port, _ := strings.Cut(hmp.Listener.Addr().String(), ":")
	m := boot(t, map[string]string{
		"hmp.yml": `targets: [{name: studio, url: "http://localhost:` + port + `", sessions: [{name: playout, token_file: secrets/playout.token}]}]`,
		"default": "HMP_EXPORTER_WEB_LISTEN_ADDRESS=127.0.0.1:0\n",
		"token":   "CANARY-first\n",
	})
	url := m.url(t)

	t.Run("restrictions", func(t *testing.T) {
		want := map[string]string{
			"Uid": m.do(t, "id", "--user", "hmp_exporter"), "Gid": m.do(t, "id", "--group", "hmp_exporter"),
			"CapEff": noCapabilities, "CapBnd": noCapabilities, "CapAmb": noCapabilities, "NoNewPrivs": "1", "Seccomp": "2",
		}
		got := make(map[string]string)
		for name, value := range m.status(t) {
			if _, ok := want[name]; ok {
				got[name] = strings.Fields(value)[0]
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the process (-want +got):\n%s", diff)
		}
	})
	t.Run("probe", func(t *testing.T) {
		expectMetric(t, url, `hmp_session_probe_result{result="unauthorized",session="playout",target="studio"} 1`)
		expectMetric(t, url, "\nprocess_start_time_seconds ")
	})
	t.Run("secret replaced", func(t *testing.T) {
		const file = "/etc/hmp_exporter/secrets/playout.token"
		m.do(t, "sh", "-c", "umask 027; echo CANARY-second >"+file+".new; chgrp hmp_exporter "+file+".new; mv "+file+".new "+file)
		expectMetric(t, url, `hmp_session_valid{session="playout",target="studio"} 1`)
	})
	t.Run("reload", func(t *testing.T) {
		m.do(t, "sed", "-i", "s/name: playout/name: archive/", "/etc/hmp_exporter/hmp.yml")
		m.do(t, "systemctl", "reload", unit)
		eventually(t, "the configuration is loaded again", func() error {
			if !strings.Contains(string(get(t, url+"/config", nil).body), "name: archive") {
				return errors.New("/config shows the one before")
			}
			return nil
		})
	})
	t.Run("a file that comes late", func(t *testing.T) {
		const config, limits = "/etc/hmp_exporter/hmp.yml", "/run/systemd/system/hmp_exporter.service.d/fast.conf"
		m.do(t, "sh", "-c", "mv "+config+" "+config+".late; printf '[Service]\nRestartSec=10ms\nRestartSteps=0\n' >"+limits)
		m.do(t, "systemctl", "daemon-reload")
		m.do(t, "systemctl", "kill", "--signal=KILL", unit)
		eventually(t, "many starts fail", func() error {
			n, err := strconv.Atoi(m.property(t, "NRestarts"))
			if err == nil && n < 15 {
				err = fmt.Errorf("%d restarts; the unit is %s", n, m.property(t, "ActiveState"))
			}
			return err
		})
		m.do(t, "mv", config+".late", config)
		m.url(t)
	})
	t.Run("stop", func(t *testing.T) {
		m.do(t, "systemctl", "stop", unit)
		if got := m.property(t, "Result") + " " + m.property(t, "ExecMainStatus"); got != "success 0" {
			t.Errorf("the result and the exit status are %q, want %q", got, "success 0")
		}
	})
}

const noCapabilities = "0000000000000000"

func expectMetric(t *testing.T, url, want string) {
	t.Helper()
	if metrics := string(get(t, url+"/metrics", nil).body); !strings.Contains(metrics, want) {
		t.Errorf("/metrics lacks %s:\n%s", want, metrics)
	}
}
