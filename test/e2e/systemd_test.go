//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

const (
	unit        = "hmp_exporter.service"
	unitFile    = "../../deploy/systemd/" + unit
	unitProgram = "/usr/local/bin/hmp_exporter"
	maxExposure = 2.0
)

// TestUnit has systemd verify the unit and rate its exposure.
func TestUnit(t *testing.T) {
	t.Run("verify", func(t *testing.T) {
		program, err := filepath.Abs(exporterBinary)
		if err != nil {
			t.Fatal(err)
		}
		text := read(t, unitFile)
		if !strings.Contains(text, "\nExecStart="+unitProgram+"\n") {
			t.Fatalf("the unit does not start %s", unitProgram)
		}
		file := write(t, t.TempDir(), unit, strings.ReplaceAll(text, unitProgram, program)) // it must exist
		output, err := command(t, "systemd-analyze", "verify", file).CombinedOutput()
		output = regexp.MustCompile(`(?m)^.*Unknown key (name )?'Restart(Steps|MaxDelaySec)'.*\n`).ReplaceAll(output, nil) // before 254
		if err != nil || len(output) > 0 {
			t.Errorf("systemd-analyze verify: %v\n%s", err, output)
		}
	})
	t.Run("security", func(t *testing.T) {
		threshold := strconv.Itoa(maxExposure * 10)
		run(t, "systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold="+threshold, unitFile)
	})
}

// TestPackageUser runs the package's script. Its user, its group, both or neither exist before.
func TestPackageUser(t *testing.T) {
	if os.Geteuid() != 0 {
		exportertest.LeaveOut(t, "making users needs root")
	}
	for name, before := range map[string]string{
		"neither": "true",
		"group":   "groupadd --system hmp_exporter",
		"both":    "useradd --system --user-group hmp_exporter",
		"user":    "useradd --system --gid nogroup hmp_exporter",
	} {
		t.Run(name, func(t *testing.T) {
			script := `set -eu
				mount -t tmpfs tmpfs /run
				mkdir /run/etc /run/work
				mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
				` + before + `
				sh ../../deploy/packages/preinstall.sh
				getent passwd hmp_exporter >&2 && getent group hmp_exporter >&2`
			run(t, "unshare", "--mount", "sh", "-c", script)
		})
	}
}

// TestService installs the unit as its README says, and runs it under a real systemd. The
// program works within all restrictions of the unit.
func TestService(t *testing.T) {
	t.Parallel()
	hmp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+canary.Word+"-second" {
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
		"token":   canary.Word + "-first\n",
	})
	url := m.waitForURL(t)

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
		m.do(t, "sh", "-c", "umask 027; echo "+canary.Word+"-second >"+file+".new; chgrp hmp_exporter "+file+".new; mv "+file+".new "+file)
		expectMetric(t, url, `hmp_session_valid{session="playout",target="studio"} 1`)
	})
	t.Run("reload", func(t *testing.T) {
		m.do(t, "sed", "-i", "s/name: playout/name: archive/", "/etc/hmp_exporter/hmp.yml")
		m.do(t, "systemctl", "reload", unit)
		exportertest.Eventually(t, "the new configuration", func() error {
			if !strings.Contains(get(t, url+"/config"), "name: archive") {
				return errors.New("/config shows the old one")
			}
			return nil
		})
	})
	t.Run("the configuration appears late", func(t *testing.T) {
		const config, limits = "/etc/hmp_exporter/hmp.yml", "/run/systemd/system/hmp_exporter.service.d/fast.conf"
		m.do(t, "sh", "-c", "mv "+config+" "+config+".late; printf '[Service]\nRestartSec=10ms\nRestartSteps=0\n' >"+limits)
		m.do(t, "systemctl", "daemon-reload")
		m.do(t, "systemctl", "kill", "--signal=KILL", unit)
		exportertest.Eventually(t, "many failed starts", func() error {
			n, err := strconv.Atoi(m.property(t, "NRestarts"))
			if err == nil && n < 15 {
				err = fmt.Errorf("%d restarts; the unit is %s", n, m.property(t, "ActiveState"))
			}
			return err
		})
		m.do(t, "mv", config+".late", config)
		m.waitForURL(t)
	})
	t.Run("stop", func(t *testing.T) {
		m.do(t, "systemctl", "stop", unit)
		if got := m.property(t, "Result") + " " + m.property(t, "ExecMainStatus"); got != "success 0" {
			t.Errorf("the result and the exit status are %q, want %q", got, "success 0")
		}
	})
}

const noCapabilities = "0000000000000000"
