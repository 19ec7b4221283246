package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
)

const fingerprinted = `targets:
  - name: studio
    url: https://hmp.example
    sessions: [{name: playout, token: CANARY-1}]
`

// TestFingerprint changes one thing at a time.
func TestFingerprint(t *testing.T) {
	t.Chdir(t.TempDir())
	load := func(text string) *Target {
		t.Helper()
		write(t, "hmp.yml", text)
		config, err := Load("hmp.yml")
		if err != nil {
			t.Fatal(err)
		}
		canary.CheckValue(t, "the fingerprints", [][32]byte{config.Targets[0].Fingerprint, config.Targets[0].Sessions[0].Fingerprint})
		return config.Targets[0]
	}
	with := func(field string) string {
		return strings.Replace(fingerprinted, "    sessions", "    "+field+"\n    sessions", 1)
	}
	cert, _ := keyPair(t)
	write(t, "ca.pem", cert)
	base := load(fingerprinted)

	for name, same := range map[string]string{
		"another name":     strings.Replace(strings.Replace(fingerprinted, "studio", "lab", 1), "playout", "archive", 1),
		"the default":      with("timeout: 10000ms"),
		"a global default": "global: {timeout: 10s}\n" + fingerprinted,
		"an empty mapping": with("tls_config: {}"),
		"a slash":          strings.Replace(fingerprinted, "example", "example/", 1),
	} {
		if got := load(same); got.Fingerprint != base.Fingerprint || got.Sessions[0].Fingerprint != base.Sessions[0].Fingerprint {
			t.Errorf("%s: another fingerprint", name)
		}
	}

	seen := map[[32]byte]string{base.Fingerprint: "base"}
	for _, field := range []string{
		"timeout: 9s", "timeout: 9001ms", "token_lifetime: 29m", "keep_alive: true", "enable_http2: true", "max_body_size: 63MiB", "service_message_text: true",
		"tls_config: {ca_file: ca.pem}", "tls_config: {server_name: a}", "tls_config: {insecure_skip_verify: true}", "tls_config: {min_version: TLS12}", "tls_config: {max_version: TLS12}",
		"proxy_url: http://a:CANARY-1@proxy", "proxy_url: http://a:CANARY-2@proxy", "proxy_url: http://proxy\n    no_proxy: a", "proxy_from_environment: true",
		"proxy_url: http://proxy\n    proxy_connect_header: {A: [CANARY-1]}", "proxy_url: http://proxy\n    proxy_connect_header: {A: [CANARY-2]}",
		"http_headers: {A: {values: [b, c]}}", "http_headers: {A: {values: [bc]}}", "http_headers: {A: {secrets: [CANARY-1]}}", "http_headers: {A: {secrets: [CANARY-2]}}", "http_headers: {A: {files: [b, c]}}",
	} {
		got := load(with(field))
		if other, ok := seen[got.Fingerprint]; ok {
			t.Errorf("%s has the fingerprint of %s", field, other)
		}
		seen[got.Fingerprint] = field
		if got.Sessions[0].Fingerprint == base.Sessions[0].Fingerprint {
			t.Errorf("%s: the session has the same fingerprint", field)
		}
	}

	seen = map[[32]byte]string{base.Sessions[0].Fingerprint: "base"}
	for _, fields := range []string{
		"token: CANARY-2", "token_file: CANARY-1", "token_file: a", "api_key: CANARY-1, api_secret: CANARY-2", "api_key: CANARY-2, api_secret: CANARY-1", "api_key: CANARY-1, api_secret_file: a",
	} {
		got := load(strings.Replace(fingerprinted, "token: CANARY-1", fields, 1))
		if other, ok := seen[got.Sessions[0].Fingerprint]; ok {
			t.Errorf("%s has the fingerprint of %s", fields, other)
		}
		seen[got.Sessions[0].Fingerprint] = fields
		if got.Fingerprint != base.Fingerprint {
			t.Errorf("%s: the target has another fingerprint", fields)
		}
	}

	// The certificates that are trusted count, and not the name of their file alone.
	before := load(with("tls_config: {ca_file: ca.pem}"))
	another, _ := keyPair(t)
	write(t, "ca.pem", another)
	if load(with("tls_config: {ca_file: ca.pem}")).Fingerprint == before.Fingerprint {
		t.Error("other certificates in ca_file have the same fingerprint")
	}
}

// One file is the same by whatever path, and one path in two directories is not.
func TestFingerprintOfPaths(t *testing.T) {
	dir, another := t.TempDir(), t.TempDir()
	text := session("{name: playout, token_file: secrets/a}")
	write(t, filepath.Join(dir, "hmp.yml"), text)
	write(t, filepath.Join(another, "hmp.yml"), text)
	write(t, filepath.Join(dir, "absolute.yml"), session(fmt.Sprintf("{name: playout, token_file: %s/secrets/a}", dir)))
	t.Chdir(dir)
	of := func(file string) [32]byte {
		config, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		return config.Targets[0].Sessions[0].Fingerprint
	}
	first := of("hmp.yml")
	if of(filepath.Join(dir, "hmp.yml")) != first || of("absolute.yml") != first {
		t.Error("the same file by another path has another fingerprint")
	}
	if of(filepath.Join(another, "hmp.yml")) == first {
		t.Error("a file in another directory has the same fingerprint")
	}
}

func session(text string) string {
	return "targets: [{name: a, url: https://a, sessions: [" + text + "]}]"
}

// TestFingerprintHasEveryField gives each field of the raw structs a value, one at a time.
func TestFingerprintHasEveryField(t *testing.T) {
	for _, raw := range []any{rawTarget{}, rawSession{}} {
		kind := reflect.TypeOf(raw)
		none := fingerprint(raw, "")
		for name, at := range fieldsOf(kind).index {
			text := map[string]string{"max_body_size": "1KiB", "proxy_url": "http://a", "tls_config": "{ca: a}", "http_headers": "{A: {values: [a]}}", "proxy_connect_header": "{A: [a]}", "sessions": "[{name: a}]", "timeout": "1s", "token_lifetime": "1m"}[name]
			field := reflect.New(kind).Elem()
			if text == "" {
				text = "a"
			}
			if field.FieldByIndex(at).Kind() == reflect.Bool {
				text = "true"
			}
			var errs Errors
			if !decode([]byte(name+": "+text), newReport("a", &errs), field.Addr().Interface()) || len(errs) > 0 {
				t.Fatalf("%s: %v", name, errs)
			}
			same := fingerprint(field.Interface(), "") == none
			if want := name == "name" || name == "sessions"; same != want {
				t.Errorf("%s of %s: the same fingerprint %v, want %v", name, kind, same, want)
			}
		}
	}
}
