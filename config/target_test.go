package config

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
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

// Sessions that differ in anything but names, labels and limits are not the same.
func TestSame(t *testing.T) {
	t.Chdir(t.TempDir())
	cert, _ := keyPair(t)
	exportertest.WriteFile(t, "ca.pem", cert)
	const text = "targets:\n  - name: studio\n    url: https://hmp.example\n    sessions: [{name: playout, token: CANARY-1}]\n"
	load := func(text string) *Session {
		t.Helper()
		exportertest.WriteFile(t, "hmp.yml", text)
		config, err := loadFile("hmp.yml")
		if err != nil {
			t.Fatal(err)
		}
		return config.Targets[0].Sessions[0]
	}
	with := func(field string) string {
		return strings.Replace(text, "    sessions", "    "+field+"\n    sessions", 1)
	}
	token := func(fields string) string { return strings.Replace(text, "token: CANARY-1", fields, 1) }
	for name, same := range map[string]string{
		"another name":     strings.NewReplacer("studio", "lab", "playout", "archive").Replace(text),
		"the default":      with("timeout: 10000ms"),
		"a global default": "global: {timeout: 10s}\n" + text,
		"an empty mapping": with("tls_config: {}"),
		"labels":           with("labels: {a: b}"),
		"a limit":          with("max_concurrent: 3"),
		"a slash":          strings.Replace(text, "example", "example/", 1),
	} {
		if !load(same).Same(load(text)) {
			t.Errorf("%s: not the same", name)
		}
	}
	var seen []*Session
	for _, other := range []string{
		text, with("address: a:1"), with("timeout: 9s"), with("token_lifetime: 29m"), with("keep_alive: true"), with("enable_http2: true"), with("max_body_size: 63MiB"), with("service_message_text: true"),
		with("tls_config: {ca_file: ca.pem}"), with("tls_config: {insecure_skip_verify: true}"), with("tls_config: {min_version: TLS12}"),
		with("proxy_url: http://a:CANARY-1@proxy"), with("proxy_url: http://a:CANARY-2@proxy"), with("proxy_url: http://proxy\n    no_proxy: a"), with("proxy_from_environment: true"),
		with("proxy_url: http://proxy\n    proxy_connect_header: {A: [CANARY-1]}"), with("proxy_url: http://proxy\n    proxy_connect_header: {A: [CANARY-2]}"),
		with("http_headers: {A: {values: [b, c]}}"), with("http_headers: {A: {secrets: [CANARY-1]}}"), with("http_headers: {A: {secrets: [CANARY-2]}}"), with("http_headers: {A: {files: [b, c]}}"),
		token("token: CANARY-2"), token("token_file: CANARY-1"), token("token_file: /a"), token("api_key: CANARY-1, api_secret: CANARY-2"), token("api_key: CANARY-2, api_secret: CANARY-1"), token("api_key: CANARY-1, api_secret_file: a"),
	} {
		got := load(other)
		if !got.Same(load(other)) {
			t.Errorf("not the same as itself:\n%s", other)
		}
		if slices.ContainsFunc(seen, got.Same) {
			t.Errorf("the same as an earlier one:\n%s", other)
		}
		seen = append(seen, got)
	}
	if !load(token("token: CANARY-2")).target.Same(seen[0].target) {
		t.Error("another token makes another target")
	}
	relative := token("token_file: secrets/a")
	if loadText(t, relative).Targets[0].Sessions[0].Same(loadText(t, relative).Targets[0].Sessions[0]) {
		t.Error("a relative path in another directory is the same file")
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
