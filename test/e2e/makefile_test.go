package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// bsdDate is the date of macOS, as far as the Makefile uses it: -r takes seconds, and there is no -d.
const bsdDate = `#!/bin/sh
case "$1 $2" in
"-u -r") exec /bin/date -u -d "@$3" "$4" ;;
*) echo "date: illegal option -- d" >&2; exit 1 ;;
esac
`

// TestMakeBuildDate is that the date in the program is SOURCE_DATE_EPOCH, whichever date the machine has.
func TestMakeBuildDate(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "date"), []byte(bsdDate), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"GNU": os.Getenv("PATH"), "BSD": bin + ":" + os.Getenv("PATH")} {
		t.Run(name, func(t *testing.T) {
			build := command(t, "make", "--dry-run", "-C", "../..", "build")
			build.Env = append(os.Environ(), "PATH="+path, "SOURCE_DATE_EPOCH=1767323045")
			output, err := build.CombinedOutput()
			if err != nil {
				t.Fatalf("make build: %v\n%s", err, output)
			}
			if !strings.Contains(string(output), ".BuildDate=2026-01-02T03:04:05Z'") {
				t.Errorf("the date is not that of SOURCE_DATE_EPOCH:\n%s", output)
			}
		})
	}
}

// TestMakeHelp is that `make` lists what a person may want to make: every phony target except parts of
// others.
func TestMakeHelp(t *testing.T) {
	output, err := command(t, "make", "-C", "../..", "help").CombinedOutput()
	if err != nil {
		t.Fatalf("make help: %v\n%s", err, output)
	}
	var listed []string
	for _, line := range regexp.MustCompile(`(?m)^ {2}([a-z0-9-]+) +\S`).FindAllStringSubmatch(string(output), -1) {
		listed = append(listed, line[1])
	}
	parts := strings.Fields("release-files buildah systemd-analyze chromium rpm") // made for the others
	for _, line := range regexp.MustCompile(`(?m)^\.PHONY: (.+)$`).FindAllStringSubmatch(string(read(t, "../../Makefile")), -1) {
		for target := range strings.FieldsSeq(line[1]) {
			if slices.Contains(listed, target) == slices.Contains(parts, target) {
				t.Errorf("make lists %q; what about %s?", listed, target)
			}
		}
	}
}
