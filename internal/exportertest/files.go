package exportertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

// WriteFile writes a file that only its owner can read, and the directories that it needs.
func WriteFile(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// WriteConfig writes the configuration of a target named studio. The token of each session
// begins with [canary.Word] and ends with the name of the session.
func WriteConfig(t testing.TB, file, url string, sessions ...string) {
	t.Helper()
	var text strings.Builder
	text.WriteString("targets:\n  - name: studio\n    url: " + url + "\n    sessions:\n")
	for _, s := range sessions {
		text.WriteString("      - {name: " + s + ", token: " + canary.Word + "-" + s + "}\n")
	}
	WriteFile(t, file, text.String())
}

// Configure starts a simulated HMP, writes its configuration, and returns the path.
func Configure(t testing.TB, hmp *hmpsim.Server, sessions ...string) string {
	t.Helper()
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	file := filepath.Join(t.TempDir(), "hmp.yml")
	WriteConfig(t, file, l.URL, sessions...)
	return file
}
