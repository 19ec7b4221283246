//go:build linux

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

const (
	unit          = "hmp_exporter.service"
	unitFile      = "../../deploy/systemd/" + unit
	unitProgram   = "/usr/local/bin/hmp_exporter"
	leastExposure = 2.0
)

// TestUnit has systemd read the unit, and judge how much it leaves open.
func TestUnit(t *testing.T) {
	t.Run("verify", func(t *testing.T) {
		program, err := filepath.Abs(exporterBinary)
		if err != nil {
			t.Fatal(err)
		}
		text := read(t, unitFile)
		if !bytes.Contains(text, []byte("\nExecStart="+unitProgram+"\n")) {
			t.Fatalf("the unit does not start %s", unitProgram)
		}
		file := filepath.Join(t.TempDir(), unit)
		text = bytes.ReplaceAll(text, []byte(unitProgram), []byte(program)) // it has to exist
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		output, err := command(t, "systemd-analyze", "verify", file).CombinedOutput()
		output = regexp.MustCompile(`(?m)^.*Unknown key (name )?'Restart(Steps|MaxDelaySec)'.*\n`).ReplaceAll(output, nil) // before 254
		if err != nil || len(output) > 0 {                                                                                 // what it does not know, it ignores with a warning
			t.Errorf("systemd-analyze verify: %v\n%s", err, output)
		}
	})
	t.Run("security", func(t *testing.T) {
		threshold := strconv.Itoa(leastExposure * 10)
		output, err := command(t, "systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold="+threshold, unitFile).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze security: %v\n%s", err, output)
		}
		found := regexp.MustCompile(`Overall exposure level for ` + unit + `: (\d+\.\d)`).FindSubmatch(output)
		if found == nil {
			t.Fatalf("systemd-analyze security does not tell the exposure:\n%s", output)
		}
		exposure, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil || exposure >= leastExposure {
			t.Errorf("the exposure of the unit is %s, want less than %g", found[1], leastExposure)
		}
	})
}

// TestPackageUser runs the package's script where its user, its group, or neither exists.
func TestPackageUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("users are root's to make: run this as root")
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
			if output, err := command(t, "unshare", "--mount", "sh", "-c", script).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}
