package config

import (
	"path/filepath"
	"strings"
	"testing"
)

const compared = `targets:
  - name: studio
    url: https://hmp.example
    sessions: [{name: playout, token: CANARY-1}]
`

// TestSame changes one thing at a time.
func TestSame(t *testing.T) {
	t.Chdir(t.TempDir())
	load := func(text string) *Target {
		t.Helper()
		write(t, "hmp.yml", text)
		config, err := Load("hmp.yml")
		if err != nil {
			t.Fatal(err)
		}
		return config.Targets[0]
	}
	with := func(field string) string {
		return strings.Replace(compared, "    sessions", "    "+field+"\n    sessions", 1)
	}
	cert, _ := keyPair(t)
	write(t, "ca.pem", cert)
	base := load(compared)

	for name, same := range map[string]string{
		"another name":     strings.Replace(strings.Replace(compared, "studio", "lab", 1), "playout", "archive", 1),
		"the default":      with("timeout: 10000ms"),
		"a global default": "global: {timeout: 10s}\n" + compared,
		"an empty mapping": with("tls_config: {}"),
		"labels":           with("labels: {a: b}"),
		"a limit":          with("max_concurrent: 3"),
		"a slash":          strings.Replace(compared, "example", "example/", 1),
	} {
		if got := load(same); !got.Same(base) || !got.Sessions[0].Same(base.Sessions[0]) {
			t.Errorf("%s: not the same", name)
		}
	}

	seen := map[string]*Target{"base": base}
	for _, field := range []string{
		"address: a:1", "address: a:2", "timeout: 9s", "timeout: 9001ms", "token_lifetime: 29m", "keep_alive: true", "enable_http2: true", "max_body_size: 63MiB", "service_message_text: true",
		"tls_config: {ca_file: ca.pem}", "tls_config: {server_name: a}", "tls_config: {insecure_skip_verify: true}", "tls_config: {min_version: TLS12}", "tls_config: {max_version: TLS12}",
		"proxy_url: http://a:CANARY-1@proxy", "proxy_url: http://a:CANARY-2@proxy", "proxy_url: http://proxy\n    no_proxy: a", "proxy_from_environment: true",
		"proxy_url: http://proxy\n    proxy_connect_header: {A: [CANARY-1]}", "proxy_url: http://proxy\n    proxy_connect_header: {A: [CANARY-2]}",
		"http_headers: {A: {values: [b, c]}}", "http_headers: {A: {values: [bc]}}", "http_headers: {A: {secrets: [CANARY-1]}}", "http_headers: {A: {secrets: [CANARY-2]}}", "http_headers: {A: {files: [b, c]}}",
	} {
		got := load(with(field))
		for other, target := range seen {
			if got.Same(target) || got.Sessions[0].Same(target.Sessions[0]) {
				t.Errorf("%s is the same as %s", field, other)
			}
		}
		seen[field] = got
		if again := load(with(field)); !again.Same(got) || !again.Sessions[0].Same(got.Sessions[0]) {
			t.Errorf("%s is not the same as itself", field)
		}
	}

	seen = map[string]*Target{"base": base}
	for _, fields := range []string{
		"token: CANARY-2", "token_file: CANARY-1", "token_file: a", "api_key: CANARY-1, api_secret: CANARY-2", "api_key: CANARY-2, api_secret: CANARY-1", "api_key: CANARY-1, api_secret_file: a",
	} {
		got := load(strings.Replace(compared, "token: CANARY-1", fields, 1))
		for other, target := range seen {
			if got.Sessions[0].Same(target.Sessions[0]) {
				t.Errorf("%s is the same as %s", fields, other)
			}
		}
		seen[fields] = got
		if !got.Same(base) {
			t.Errorf("%s: the target is another", fields)
		}
	}

}

// One path in two directories is not the same file.
func TestSameOfPaths(t *testing.T) {
	of := func(dir string) *Session {
		write(t, filepath.Join(dir, "hmp.yml"), session("{name: playout, token_file: secrets/a}"))
		config, err := Load(filepath.Join(dir, "hmp.yml"))
		if err != nil {
			t.Fatal(err)
		}
		return config.Targets[0].Sessions[0]
	}
	dir := t.TempDir()
	if first := of(dir); !of(dir).Same(first) || of(t.TempDir()).Same(first) {
		t.Error("a file is not the same as itself, or is the same in another directory")
	}
}

func session(text string) string {
	return "targets: [{name: a, url: https://a, sessions: [" + text + "]}]"
}
