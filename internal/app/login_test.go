package app

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// TestServeLogsIn follows a session with an API key through what its operator
// does: reloads, and a new secret in HMP that is written to the file later.
func TestServeLogsIn(t *testing.T) {
	hmp := hmpsim.New()
	hmp.AddKey(canary.Word+"-key", canary.Word+"-secret", hmpsim.Valid(hmpsim.ExampleSession()))
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	secret := filepath.Join(dir, "archive.secret")
	exportertest.WriteFile(t, secret, canary.Word+"-secret\n")
	exportertest.WriteFile(t, filepath.Join(dir, "archive.key"), canary.Word+"-key\n")
	exportertest.WriteFile(t, filepath.Join(dir, "hmp.yml"), `
targets:
  - name: studio
    url: `+l.URL+`
    sessions:
      - {name: archive, api_key_file: archive.key, api_secret_file: archive.secret}
`)
	p := start(t, "--config.file="+filepath.Join(dir, "hmp.yml"), "--web.enable-lifecycle", "--log.level=debug")

	// expect scrapes once and looks for samples.
	expect := func(what string, samples ...string) {
		t.Helper()
		_, body := p.Get(t, "/metrics")
		for _, want := range samples {
			if !strings.Contains(body, want+"\n") {
				t.Errorf("%s: no %s", what, want)
			}
		}
	}
	const labels = `{session="archive",target="studio"}`
	valid := `hmp_session_valid` + labels + ` 1`
	logins := func(result, n string) string {
		return `hmp_session_logins_total{result="` + result + `",session="archive",target="studio"} ` + n
	}
	expect("the first scrape", valid, logins("success", "1"), `hmp_session_login_suspended`+labels+` 0`)
	expect("the second scrape", valid, logins("success", "1"))

	resp, err := http.Post(p.URL+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("reload: got %s", resp.Status)
	}
	expect("after a reload", valid, logins("success", "1"))

	hmp.RegenerateKey(canary.Word+"-key", canary.Word+"-new")
	hmp.RevokeTokens(canary.Word + "-key")
	for range 3 {
		expect("with the old secret", `hmp_session_probe_result{result="login_rejected",session="archive",target="studio"} 1`,
			logins("login_rejected", "1"), `hmp_session_login_suspended`+labels+` 1`)
	}
	exportertest.WriteFile(t, secret, canary.Word+"-new\n")
	expect("with the new secret", valid, logins("success", "2"), logins("login_rejected", "1"), `hmp_session_login_suspended`+labels+` 0`)

	for _, path := range []string{"/", "/config", "/probe?target=studio"} {
		p.Get(t, path) // which looks for secrets
	}
	if err := p.Stop(t); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if n := strings.Count(p.Log.String(), `msg=login `); n != 3 {
		t.Errorf("%d logins in the log, want 3:\n%s", n, p.Log)
	}
}
