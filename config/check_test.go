package config

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// unwise is a configuration with one warning or error on each line.
const unwise = `targets:
- name: studio
  url: http://hmp.studio.example
  timeout: 45s
  token_lifetime: 1h
  tls_config:
    insecure_skip_verify: true
    cert_file: cert.pem
    key_file: open.key
  proxy_url: http://CANARY:CANARY@proxy.example
  http_headers:
    X-Key: {secrets: [CANARY-header]}
    X-Other: {files: [wide, empty]}
  sessions:
  - name: playout
    token: CANARY-token
  - name: archive
    api_key: CANARY-key
    api_secret_file: narrow
  - name: other
    api_key_file: lines
    api_secret_file: directory
- name: lab
  url: http://127.0.0.1:8080
  sessions:
  - name: a
    api_key_file: narrow
    api_secret_file: grouped
- name: fixed
  url: https://hmp.example
  token_lifetime: 1h
  sessions:
  - name: a
    token_file: narrow
  - name: b
    token_file: nowhere
- name: fine
  url: https://hmp.example
  sessions: [{name: a, api_key_file: narrow, api_secret_file: narrow}]
- {name: inline, url: https://hmp.example, tls_config: {cert_file: cert.pem, key: KEY}, sessions: [{name: a, api_key_file: narrow, api_secret_file: narrow}]}
target_files: [nothing.d/*.yml]
`

func TestCheck(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("directory", 0o755); err != nil {
		t.Fatal(err)
	}
	cert, key := keyPair(t)
	for file, content := range map[string]string{
		"hmp.yml": strings.Replace(unwise, "KEY", strconv.Quote(key), 1), "wide": "CANARY-long\n", "narrow": "CANARY-long\n", "grouped": "CANARY-long\n", "empty": "\n", "lines": "CANARY\nCANARY\n", "cert.pem": cert, "open.key": key,
	} {
		exportertest.WriteFile(t, file, content)
	}
	for file, mode := range map[string]os.FileMode{"hmp.yml": 0o644, "wide": 0o604, "narrow": 0o640, "grouped": 0o620, "open.key": 0o644, "directory": 0o755} {
		if err := os.Chmod(file, mode); err != nil { // whatever the umask is
			t.Fatal(err)
		}
	}
	want := `:13: targets[0].http_headers.X-Other.files[1]: empty: is empty; write the secret into it, and nothing else
:21: targets[0].sessions[2].api_key_file: lines: has more than one line; it is one line and nothing else
:22: targets[0].sessions[2].api_secret_file: directory: is a directory; name the file in it
:36: targets[2].sessions[1].token_file: nowhere: no such file or directory; a relative path begins at the directory of the file that contains it; a path in a variable begins at the working directory
:3: targets[0].url: is plain http: anybody on the network path can read and use the tokens; use https
:5: targets[0].token_lifetime: 1h is longer than the 30 minutes that HMP keeps a token: sessions lose theirs before it is renewed; use 30m, unless your HMP is known to keep them longer
:7: targets[0].tls_config.insecure_skip_verify: is unsafe: anybody who can redirect the connection gets the tokens; give the HMP's certificate as ca_file
:9: targets[0].tls_config.key_file: open.key: has mode 0644: other users have access to the secret; chmod 600; or the exporter's group, and chmod 640
:12: targets[0].http_headers.X-Key: is a secret in clear: everybody who can read the configuration can read it; name files instead
:13: targets[0].http_headers.X-Other.files[0]: wide: has mode 0604: other users have access to the secret; chmod 600; or the exporter's group, and chmod 640
:16: targets[0].sessions[0].token: is a secret in clear, and HMP ends a token after 30 minutes; use api_key_file and api_secret_file
:18: targets[0].sessions[1].api_key: is a secret in clear: everybody who can read the configuration can read it; name a file instead: api_key_file
:28: targets[1].sessions[0].api_secret_file: grouped: has mode 0620: other users have access to the secret; chmod 600; or the exporter's group, and chmod 640
:34: targets[2].sessions[0].token_file: HMP ends a token after 30 minutes, and the exporter does not renew it; use api_key_file and api_secret_file, or have something replace the token before that
:36: targets[2].sessions[1].token_file: HMP ends a token after 30 minutes, and the exporter does not renew it; use api_key_file and api_secret_file, or have something replace the token before that
:40: targets[4].tls_config.key: is a secret in clear: everybody who can read the configuration can read it; name a file instead: key_file
:41: target_files[0]: nothing.d/*.yml: matches no file; a relative pattern begins at the directory of the file that contains it`
	checked, err := (&Source{File: "hmp.yml"}).Check()
	if err != nil {
		t.Fatal(err)
	}
	canary.CheckValue(t, "the warnings", checked.Warnings)
	canary.CheckValue(t, "the errors", checked.SecretErrors)
	if diff := cmp.Diff(want, strings.ReplaceAll(checked.SecretErrors.Error()+"\n"+checked.Warnings.Error(), "hmp.yml", "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A secret in an environment variable is not a secret in the configuration file.
func TestNoWarnings(t *testing.T) {
	checked, err := environment(map[string]string{"HMP_URL": "http://127.0.0.1", "HMP_API_KEY": "CANARY-key", "HMP_API_SECRET": "CANARY-secret"}).Check()
	if err != nil || checked.SecretErrors != nil || checked.Warnings != nil {
		t.Errorf("got %+v, %v", checked, err)
	}
}

// A target file with an empty list matches its pattern, but the exporter has nothing to watch.
func TestWarningOfNothingWatched(t *testing.T) {
	t.Chdir(t.TempDir())
	exportertest.WriteFile(t, "hmp.yml", "target_files: [a*.yml, b*.yml]")
	const (
		a      = "hmp.yml:1: target_files[0]: a*.yml: matches no file; a relative pattern begins at the directory of the file that contains it\n"
		b      = "hmp.yml:1: target_files[1]: b*.yml: matches no file; a relative pattern begins at the directory of the file that contains it"
		nobody = "\nhmp.yml: no target: nothing is watched; list targets here or in target_files"
	)
	for _, tt := range []struct{ file, text, want string }{
		{"none", "", a + b + nobody}, {"a.yml", "[]", b + nobody}, {"a2.yml", targetFile, b},
	} {
		exportertest.WriteFile(t, tt.file, tt.text)
		config, err := loadFile("hmp.yml")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, config.LoadWarnings.Error()); diff != "" {
			t.Errorf("with %s (-want +got):\n%s", tt.file, diff)
		}
	}
}
