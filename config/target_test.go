package config

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/exportertest"
)

func TestTargets(t *testing.T) {
	config, err := loadFile(filepath.Join(goodDir(t), "full.yml"))
	if err != nil {
		t.Fatal(err)
	}
	target := config.Targets[0]
	var modes []bool
	for _, s := range target.Sessions {
		modes = append(modes, s.KeyMode())
	}
	got := []any{
		target.URL.String(), target.Timeout, target.TokenLifetime, target.MaxBodySize,
		target.KeepAlive, target.EnableHTTP2, target.ServiceMessageText, target.TLS.ServerName,
		map[string][]string(target.ProxyConnectHeader), modes,
	}
	want := []any{
		"https://hmp.studio.example:8443/prefix", 90 * time.Second, time.Hour, int64(1 << 20),
		true, true, true, "hmp",
		map[string][]string{"Proxy-Authorization": {"CANARY-basic", "CANARY-more"}}, []bool{false, true, true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for url, want := range map[string]string{"https://hmp.studio.example": "http://CANARY-user:CANARY-password@proxy.example:3128", "https://10.1.2.3": ""} {
		request, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if proxy, err := target.Proxy(request); err != nil || (want == "") != (proxy == nil) || want != "" && proxy.String() != want {
			t.Errorf("proxy of %s = %v, %v; want %q", url, proxy, err, want)
		}
	}
	if lab := config.Targets[1]; lab.Timeout != 5*time.Second || lab.TokenLifetime != 20*time.Minute || lab.TLS == nil || lab.Proxy == nil {
		t.Errorf("target lab does not take over what is global: %v, %v", lab.Timeout, lab.TokenLifetime)
	}
}

// TestSame changes one thing at a time.
func TestSame(t *testing.T) {
	t.Chdir(t.TempDir())
	cert, _ := keyPair(t)
	exportertest.WriteFile(t, "ca.pem", cert)
	const compared = "targets:\n  - name: studio\n    url: https://hmp.example\n    sessions: [{name: playout, token: CANARY-1}]\n"
	load := func(text string) *Target {
		t.Helper()
		exportertest.WriteFile(t, "hmp.yml", text)
		config, err := loadFile("hmp.yml")
		if err != nil {
			t.Fatal(err)
		}
		return config.Targets[0]
	}
	with := func(field string) string {
		return strings.Replace(compared, "    sessions", "    "+field+"\n    sessions", 1)
	}
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
		"token: CANARY-2", "token_file: CANARY-1", "token_file: /a", "api_key: CANARY-1, api_secret: CANARY-2", "api_key: CANARY-2, api_secret: CANARY-1", "api_key: CANARY-1, api_secret_file: a",
	} {
		got := load(strings.Replace(compared, "token: CANARY-1", fields, 1))
		for other, target := range seen {
			if got.Sessions[0].Same(target.Sessions[0]) || !got.Same(target) {
				t.Errorf("%s is the same as %s, or another target", fields, other)
			}
		}
		seen[fields] = got
	}
	relative := strings.Replace(compared, "token: CANARY-1", "token_file: secrets/a", 1) // not the same file in another directory
	if first, second := loadText(t, relative), loadText(t, relative); first.Targets[0].Sessions[0].Same(second.Targets[0].Sessions[0]) {
		t.Error("a file is the same in another directory")
	}
}

func TestHeader(t *testing.T) {
	dir := goodDir(t)
	config, err := loadFile(filepath.Join(dir, "full.yml"))
	if err != nil {
		t.Fatal(err)
	}
	target, file := config.Targets[0], filepath.Join(dir, "secrets", "gateway.key")

	if _, err := target.Header(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Header = %v without its file, want %v", err, os.ErrNotExist)
	}
	for _, value := range []string{"first", "second"} {
		exportertest.WriteFile(t, file, " "+value+"\n")
		got, err := target.Header(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := http.Header{"X-Gateway-Key": {"plain", "CANARY-gateway", value}, "X-Seen": {"one", "two"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// net/http ignores a variable that is not the URL of a proxy, so it is an error.
func TestProxyFromEnvironment(t *testing.T) {
	const bad = "hmp.yml:1: targets[0].proxy_from_environment: the environment variable %s is not the URL of a proxy; write it like http://proxy.example:3128, or unset it"
	for _, tt := range []struct{ url, variable, value, want string }{
		{"https://a", "HTTPS_PROXY", "http://proxy.example:3128", ""},
		{"https://a", "HTTPS_PROXY", "proxy.example:3128", ""},
		{"https://a", "HTTPS_PROXY", "socks5://u:CANARY@[2001:db8::1]:1080/", ""},
		{"https://a", "HTTP_PROXY", "http://CANARY:%zz", ""}, // not for this URL
		{"http://a", "HTTP_PROXY", "http://CANARY:%zz", "HTTP_PROXY"},
		{"https://a", "HTTPS_PROXY", "http://u:CANARY@proxy.example:port", "HTTPS_PROXY"},
		{"https://a", "https_proxy", "http://CANARY proxy.example", "HTTPS_PROXY"},
		{"https://a", "HTTPS_PROXY", "http:/proxy.example:3128", "HTTPS_PROXY"},
		{"https://a", "HTTPS_PROXY", "htp://CANARY:3128", "HTTPS_PROXY"},
		{"https://a", "HTTPS_PROXY", "http://:3128", "HTTPS_PROXY"},
		{"https://a", "HTTPS_PROXY", " ", "HTTPS_PROXY"},
	} {
		t.Run(tt.variable+" "+tt.value, func(t *testing.T) {
			for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
				t.Setenv(name, "")
			}
			t.Setenv(tt.variable, tt.value)
			t.Chdir(t.TempDir())
			exportertest.WriteFile(t, "hmp.yml", "targets: [{name: a, url: "+tt.url+", proxy_from_environment: true, sessions: [{name: a, token: CANARY}]}]")
			_, err := loadFile("hmp.yml")
			want := ""
			if tt.want != "" {
				want = fmt.Sprintf(bad, tt.want)
			}
			if diff := cmp.Diff(want, errorText(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
