package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// TestTokenByHand runs the commands of the runbook. The login writes a token that only its owner can read, and HMP
// accepts the token. A refused login leaves an empty file.
func TestTokenByHand(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		exportertest.LeaveOut(t, "there is no curl")
	}
	hmp := hmpsim.New()
	hmp.AddKey(canary.Word+"-key", canary.Word+"-secret", hmpsim.Valid(hmpsim.ExampleSession()))
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	exportertest.WriteFile(t, filepath.Join(dir, "secrets/playout.key"), canary.Word+"-key\n")
	exportertest.WriteFile(t, filepath.Join(dir, "secrets/playout.secret"), canary.Word+"-secret\n")
	page := strings.ReplaceAll(readFile(t, "docs/runbook.md"), "https://hmp.studio.example", l.URL)
	login, ask := "touch"+between(t, page, "```sh\ntouch", "```"), "printf 'Auth"+between(t, page, "```sh\nprintf 'Auth", "```")
	run := func(commands string) string {
		cmd := exec.Command("sh", "-c", commands)
		cmd.Dir = dir
		got, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, got)
		}
		canary.Check(t, "the output", string(got))
		return string(got)
	}

	if got := run(login); got != "" {
		t.Errorf("the login prints %q", got)
	}
	token := filepath.Join(dir, "secrets/playout.token")
	if info, err := os.Stat(token); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("others can read the token: %v, %v", info, err)
	}
	if got := run(ask); got != "200\n" {
		t.Errorf("HMP answers %q", got)
	}

	exportertest.WriteFile(t, filepath.Join(dir, "secrets/playout.secret"), canary.Word+"-other\n")
	if got := run(login); !strings.Contains(got, "401") || readFile(t, token) != "" {
		t.Errorf("a refused login prints %q", got)
	}
}
