package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
)

const unwise = `targets:
  - name: studio
    url: http://hmp.studio.example
    token_lifetime: 1h
    tls_config:
      insecure_skip_verify: true
      key_file: open.key
    http_headers:
      X-Key: {secrets: [CANARY-header], files: [wide]}
    sessions:
      - name: playout
        token: CANARY-token
      - name: archive
        api_key: CANARY-key
        api_secret_file: narrow
  - name: lab
    url: http://127.0.0.1:8080
    token_lifetime: 5m
    sessions: [{name: a, api_key_file: narrow, api_secret_file: grouped}]
  - name: fixed
    url: https://hmp.example
    token_lifetime: 1m
    tls_config: {key_file: narrow}
    proxy_url: http://CANARY:CANARY@proxy.example
    sessions: [{name: a, token_file: narrow}]
`

// modes gives files of a test their modes, whatever the umask is.
func modes(t *testing.T, of map[string]os.FileMode) {
	t.Helper()
	for file, mode := range of {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, file := range []string{"wide", "narrow", "grouped"} {
		write(t, file, "CANARY-long\n")
	}
	write(t, "open.key", "no key")
	write(t, "hmp.yml", unwise)
	modes(t, map[string]os.FileMode{"wide": 0o604, "narrow": 0o600, "grouped": 0o620, "open.key": 0o644, "hmp.yml": 0o644})
	b, p := newBuilder(t.Context(), "hmp.yml")
	var raw rawFile
	if !decode([]byte(unwise), p.report, &raw) {
		t.Fatal(b.errs)
	}
	b.targets(p.child("targets"), raw.Targets) // the key is none, which is an error and not what this is about

	want := `hmp.yml: has mode 0644: other users than its owner have access to the secret; chmod 600; or owner root, the exporter's group, and chmod 640
hmp.yml:3: targets[0].url: is plain http: anybody on the network path can read and use the tokens; use https
hmp.yml:4: targets[0].token_lifetime: 1h is longer than the 30 minutes that HMP keeps a token: sessions lose theirs before it is renewed; use 30m, unless your HMP is known to keep them longer
hmp.yml:6: targets[0].tls_config.insecure_skip_verify: is unsafe: anybody who can redirect the connection gets the tokens; give the HMP's certificate as ca_file
hmp.yml:7: targets[0].tls_config.key_file: open.key: has mode 0644: other users than its owner have access to the secret; chmod 600; or owner root, the exporter's group, and chmod 640
hmp.yml:9: targets[0].http_headers.X-Key: is a secret in clear: everybody who can read the configuration can read it; name files instead
hmp.yml:9: targets[0].http_headers.X-Key.files[0]: wide: has mode 0604: other users than its owner have access to the secret; chmod 600; or owner root, the exporter's group, and chmod 640
hmp.yml:12: targets[0].sessions[0].token: is a secret in clear: everybody who can read the configuration can read it; it expires after 30 minutes like every HMP token, and the exporter cannot renew it; use api_key_file and api_secret_file
hmp.yml:14: targets[0].sessions[1].api_key: is a secret in clear: everybody who can read the configuration can read it; put it into a file and name that: api_key_file
hmp.yml:18: targets[1].token_lifetime: 5m makes 12 logins an hour for each session, and each leaves a session behind in HMP for 30 minutes; use 30m, as HMP documents
hmp.yml:19: targets[1].sessions[0].api_secret_file: grouped: has mode 0620: other users than its owner have access to the secret; chmod 600; or owner root, the exporter's group, and chmod 640
hmp.yml:25: targets[2].sessions[0].token_file: HMP ends a token after 30 minutes, and the exporter does not renew one of a file; have something replace it before that, or use api_key_file and api_secret_file`
	warnings := b.config.Warnings()
	if diff := cmp.Diff(want, errorText(warnings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	canary.CheckValue(t, "the warnings", warnings)
}

// Nobody is told to change the mode of what is not a file.
func TestNoWarningOfWhatIsNoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("directory", 0o755); err != nil {
		t.Fatal(err)
	}
	modes(t, map[string]os.FileMode{"directory": 0o755})
	write(t, "hmp.yml", "targets: [{name: a, url: https://a, sessions: [{name: b, api_key_file: directory, api_secret_file: /dev/null}]}]")
	if warnings := load(t).Warnings(); warnings != nil {
		t.Errorf("got %v", warnings)
	}
}

func TestWarningOfInsecureTLS(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "hmp.yml", "targets: [{name: a, url: https://a, tls_config: {insecure_skip_verify: true}, sessions: [{name: b, api_key_file: k, api_secret_file: s}]}]")
	want := "hmp.yml:1: targets[0].tls_config.insecure_skip_verify: is unsafe: anybody who can redirect the connection gets the tokens; give the HMP's certificate as ca_file"
	if diff := cmp.Diff(want, errorText(load(t).Warnings())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A wise configuration has none, and neither has a secret in the environment but that
// a token ends.
func TestNoWarnings(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "narrow", "CANARY-1\n")
	modes(t, map[string]os.FileMode{"narrow": 0o600})
	write(t, "hmp.yml", "targets: [{name: a, url: https://a, sessions: [{name: b, api_key_file: narrow, api_secret_file: narrow}, {name: c, api_key_file: missing, api_secret_file: narrow}]}]")
	if warnings := load(t).Warnings(); warnings != nil {
		t.Errorf("got %v", warnings)
	}
	env := map[string]string{"HMP_URL": "https://h", "HMP_API_KEY": "CANARY-key", "HMP_API_SECRET": "CANARY-secret"}
	config, err := fromEnvironment(t.Context(), func(variable string) string { return env[variable] })
	if err != nil || config.Warnings() != nil {
		t.Errorf("got %v, %v", config.Warnings(), err)
	}
	env = map[string]string{"HMP_URL": "https://h", "HMP_TOKEN": "CANARY-token"}
	config, err = fromEnvironment(t.Context(), func(variable string) string { return env[variable] })
	if err != nil {
		t.Fatal(err)
	}
	want := "environment: HMP_TOKEN: expires after 30 minutes like every HMP token, and the exporter cannot renew it; use HMP_API_KEY_FILE and HMP_API_SECRET_FILE"
	if diff := cmp.Diff(want, errorText(config.Warnings())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWarningOfShortSecret is about less than eight characters, wherever they stand.
func TestWarningOfShortSecret(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "short", " CANARY7\n")
	modes(t, map[string]os.FileMode{"short": 0o600})
	write(t, "hmp.yml", "targets: [{name: a, url: https://a, sessions: [{name: b, api_key: CANARY1, api_secret_file: short}]}]")
	modes(t, map[string]os.FileMode{"hmp.yml": 0o600})
	want := `hmp.yml:1: targets[0].sessions[0].api_key: is a secret in clear: everybody who can read the configuration can read it; it is a secret of less than 8 characters; put it into a file and name that: api_key_file; find out whether it is the whole secret
hmp.yml:1: targets[0].sessions[0].api_secret_file: short: is a secret of less than 8 characters; find out whether it is the whole secret`
	if diff := cmp.Diff(want, errorText(load(t).Warnings())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOneWarningOfAToken is that a token in the configuration is one thing to do, and so
// one warning.
func TestOneWarningOfAToken(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "hmp.yml", "targets: [{name: a, url: https://a, sessions: [{name: b, token: CANARY1}]}]")
	modes(t, map[string]os.FileMode{"hmp.yml": 0o600})
	want := "hmp.yml:1: targets[0].sessions[0].token: is a secret in clear: everybody who can read the configuration can read it; " +
		"it is a secret of less than 8 characters; it expires after 30 minutes like every HMP token, and the exporter cannot renew it; " +
		"use api_key_file and api_secret_file"
	if diff := cmp.Diff(want, errorText(load(t).Warnings())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWarningOfNothingWatched is about patterns that match no file.
func TestWarningOfNothingWatched(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "hmp.yml", "target_files:\n  - here.d/*.yml\n  - targts.d/*.yml\n")
	if err := os.Mkdir("here.d", 0o700); err != nil {
		t.Fatal(err)
	}
	const (
		here   = "hmp.yml:2: target_files[0]: here.d/*.yml: matches no file; a relative pattern is relative to the file that has it"
		typo   = "hmp.yml:3: target_files[1]: targts.d/*.yml: matches no file; a relative pattern is relative to the file that has it"
		nobody = "hmp.yml: no target: nothing is watched; list targets here or in target_files"
	)
	if diff := cmp.Diff(nobody+"\n"+here+"\n"+typo, errorText(load(t).Warnings())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	write(t, "here.d/a.yml", "[{name: a, url: https://a, sessions: [{name: b, api_key_file: k, api_secret_file: s}]}]")
	if diff := cmp.Diff(typo, errorText(load(t).Warnings())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	write(t, "here.d/a.yml", "[]")
	if diff := cmp.Diff(nobody+"\n"+typo, errorText(load(t).UnmatchedPatterns().sorted())); diff != "" {
		t.Errorf("with an empty list (-want +got):\n%s", diff)
	}
}

func TestIntervalWarnings(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "hmp.yml", `targets:
  - {name: a, url: https://a, sessions: [{name: b, api_key_file: k, api_secret_file: s}]}
  - name: b
    url: https://b
    timeout: 45s
    token_lifetime: 1h
    sessions: [{name: b, api_key_file: k, api_secret_file: s}]
`)
	for _, tt := range []struct {
		interval time.Duration
		want     string
	}{
		{2 * time.Minute, ""},
		{150 * time.Second, "hmp.yml: a scrape interval of 2m30s is longer than 2 minutes: Prometheus marks a series stale after 5 minutes without a sample; scrape every 2 minutes at least"},
		{30 * time.Second, "hmp.yml:5: targets[1].timeout: 45s is longer than the scrape interval of 30s, and Prometheus waits no longer than that; shorten the timeout, or scrape less often"},
		{5 * time.Second, `hmp.yml:2: targets[0].timeout: 10s is longer than the scrape interval of 5s, and Prometheus waits no longer than that; shorten the timeout, or scrape less often
hmp.yml:5: targets[1].timeout: 45s is longer than the scrape interval of 5s, and Prometheus waits no longer than that; shorten the timeout, or scrape less often`},
		{28 * time.Minute, `hmp.yml: a scrape interval of 28m is longer than 2 minutes: Prometheus marks a series stale after 5 minutes without a sample; scrape every 2 minutes at least
hmp.yml:2: targets[0].token_lifetime: 30m is over before the next scrape, with an interval of 28m: every scrape logs in, and leaves a session behind in HMP; scrape more often`},
	} {
		t.Run(tt.interval.String(), func(t *testing.T) {
			if diff := cmp.Diff(tt.want, errorText(load(t).IntervalWarnings(tt.interval))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// load loads hmp.yml.
func load(t *testing.T) *Config {
	t.Helper()
	config, err := Load("hmp.yml")
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestCheckSecrets(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("directory", 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, "empty", "\n")
	write(t, "lines", "CANARY\nCANARY\n")
	write(t, "bearer", "Bearer CANARY\n")
	write(t, "good", "CANARY\n")
	write(t, "hmp.yml", `targets:
  - name: studio
    url: https://hmp.example
    http_headers:
      X-Key: {files: [good, empty]}
    sessions:
      - {name: a, token_file: good}
      - {name: b, token_file: nowhere}
      - {name: c, token_file: bearer}
      - {name: d, api_key_file: lines, api_secret_file: directory}
target_files: [more.yml]
`)
	write(t, "more.yml", "- {name: more, url: https://more.example, sessions: [{name: a, token_file: empty}]}\n")

	config, err := Load("hmp.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := `hmp.yml:5: targets[0].http_headers.X-Key.files[1]: empty: is empty; write the secret into it, and nothing else
hmp.yml:8: targets[0].sessions[1].token_file: nowhere: no such file or directory; a relative path starts at the directory of the file that names it
hmp.yml:9: targets[0].sessions[2].token_file: bearer: begins with the word Bearer; leave out the word Bearer
hmp.yml:10: targets[0].sessions[3].api_key_file: lines: has more than one line; it is one line and nothing else
hmp.yml:10: targets[0].sessions[3].api_secret_file: directory: is a directory; name the file in it
more.yml:1: [0].sessions[0].token_file: empty: is empty; write the secret into it, and nothing else`
	if diff := cmp.Diff(want, errorText(config.CheckSecrets())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckSecretsWithoutProblem(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), "CANARY\n")
	write(t, filepath.Join(dir, "hmp.yml"), "targets: [{name: a, url: https://a, sessions: [{name: a, token_file: token}]}]")
	config, err := Load(filepath.Join(dir, "hmp.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := config.CheckSecrets(); err != nil {
		t.Error(err)
	}
}
