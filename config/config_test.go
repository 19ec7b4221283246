package config

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write what is expected in testdata anew")

// archives reads the txtar archives that a pattern matches.
func archives(t testing.TB, pattern string) map[string]*txtar.Archive {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %v", pattern, files, err)
	}
	all := make(map[string]*txtar.Archive)
	for _, file := range files {
		if all[file], err = txtar.ParseFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// runArchives compares NAME.txt of each archive with what describe returns for NAME.yml, in a
// directory with the files of the archive.
func runArchives(t *testing.T, pattern string, describe func(t *testing.T, file string) string) {
	for file, archive := range archives(t, pattern) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			home, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			if err := txtar.Write(archive, "."); err != nil {
				t.Fatal(err)
			}
			for i, want := range archive.Files {
				name, isWant := strings.CutSuffix(want.Name, ".txt")
				if !isWant {
					continue
				}
				t.Run(name, func(t *testing.T) {
					got := describe(t, name+".yml")
					canary.Check(t, "the text", got)
					if *update {
						archive.Files[i].Data = []byte(got + "\n\n")
					} else if diff := cmp.Diff(string(bytes.TrimSpace(want.Data)), got); diff != "" {
						t.Errorf("not as in %s (-want +got):\n%s", file, diff)
					}
				})
			}
			if *update {
				write(t, home, string(bytes.TrimSpace(txtar.Format(archive)))+"\n")
			}
		})
	}
}

// TestBad has a case for every way in which a configuration can be wrong, with all problems.
func TestBad(t *testing.T) {
	runArchives(t, "testdata/bad/*.txtar", func(t *testing.T, file string) string {
		config, err := loadFile(file)
		if _, ok := errors.AsType[Errors](err); !ok || config != nil {
			t.Fatalf("Load = %v, %v; want Errors alone", config, err)
		}
		return err.Error()
	})
}

// TestBadText has the files that are no text, or too large for TestBad.
func TestBadText(t *testing.T) {
	session := "{name: s, token: " + canary.Word + "}"
	bomb := "targets:\n  - sessions: &s [" + strings.Repeat(session+", ", 400) + session + "]\n" + strings.Repeat("  - {sessions: *s}\n", 400)
	for name, tt := range map[string]struct{ text, want string }{
		"Latin-1": {"targets:\n  - name: t # K\xf6ln\n    url: https://hmp.example\n", "hmp.yml:2: is not UTF-8 text; save the file as UTF-8"},
		"mark":    {"\ufefftargets:\n  - name: t\n   url: https://hmp.example\n", "hmp.yml:3: malformed YAML; check the indentation, "},
		"NUL":     {"targets:\n  - name: t\x00\n", "hmp.yml:2: malformed YAML; check the indentation, "},
		"bomb":    {bomb, "hmp.yml:2: too many values from aliases; write the values out"},
		"large":   {strings.Repeat("#", maxConfigFile+1), "hmp.yml: is too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "hmp.yml", tt.text)
			if _, err := loadFile("hmp.yml"); !strings.HasPrefix(errorText(err), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	for file, want := range map[string]string{
		"nowhere.yml": "no such file or directory; name another with --config.file, set HMP_URL, HMP_API_KEY_FILE and HMP_API_SECRET_FILE instead, or try hmp_exporter demo, which needs none",
		"testdata":    "is a directory; name the file in it",
	} {
		if _, err := loadFile(file); errorText(err) != file+": "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	_, err := loadText(t, "targets:\n"+strings.Repeat("- {}\n", 1000))
	lines := strings.Split(errorText(err), "\n")
	if last := lines[len(lines)-1]; len(lines) != maxProblems+1 || !strings.HasSuffix(last, "hmp.yml: …and 2900 more problems") {
		t.Errorf("%d problems are listed, want %d; the last is %s", len(lines), maxProblems, last)
	}
}

// The search for the line of a mistake costs about as much as two parses of a large file.
func TestMistakeInLargeFile(t *testing.T) {
	lines := strings.Repeat("- {name: a}\n", maxSearched/12+1)
	text := []byte(lines + "- {name: \"a}\n" + lines)
	parse := testing.AllocsPerRun(1, func() { _, _, _ = parseDocuments(bytes.NewReader(text)) })
	var err error
	load := testing.AllocsPerRun(1, func() { _, err = Parse("hmp.yml", text) })
	if want := fmt.Sprintf("hmp.yml:%d: malformed YAML", maxSearched/12+2); !strings.HasPrefix(errorText(err), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if load > 4*parse {
		t.Errorf("a load allocates %.0f times, and one parse %.0f times", load, parse)
	}
}

// TestGood has cases that load, with what people see of each.
func TestGood(t *testing.T) {
	runArchives(t, "testdata/good.txtar", func(t *testing.T, file string) string {
		config, err := loadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		canary.CheckValue(t, "the configuration", *config)
		for _, target := range config.Targets {
			canary.CheckValue(t, "a target", *target)
			for _, session := range target.Sessions {
				canary.CheckValue(t, "a session", *session)
			}
		}
		if len(config.Targets) > 0 { // without target_files, no targets are an error
			want := effective(t, config)
			again := filepath.Join(t.TempDir(), "hmp.yml")
			write(t, again, want)
			config, err := loadFile(again)
			if err != nil {
				t.Fatalf("%v\n%s", err, want)
			}
			dir := filepath.Dir(again) + string(filepath.Separator) // paths are relative to the file
			if diff := cmp.Diff(want, strings.ReplaceAll(effective(t, config), dir, "")); diff != "" {
				t.Errorf("the YAML loads as another configuration (-first +again):\n%s", diff)
			}
		}
		return strings.TrimSpace(show(t, config))
	})
}

// TestByteOrderMarkAndCRLF has a file that an editor of Windows has saved.
func TestByteOrderMarkAndCRLF(t *testing.T) {
	text := "targets:\n  - name: a\n    url: https://a.example\n    sessions: [{name: s, token: CANARY}]\n"
	windows, plain := mustLoadText(t, "\ufeff"+strings.ReplaceAll(text, "\n", "\r\n")), mustLoadText(t, text)
	if diff := cmp.Diff(effective(t, plain), effective(t, windows)); diff != "" {
		t.Errorf("(-plain +CRLF):\n%s", diff)
	}
}

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
	write(t, "ca.pem", cert)
	const compared = "targets:\n  - name: studio\n    url: https://hmp.example\n    sessions: [{name: playout, token: CANARY-1}]\n"
	load := func(text string) *Target {
		t.Helper()
		write(t, "hmp.yml", text)
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
	relative := session("{name: playout, token_file: secrets/a}") // not the same file in another directory
	if first, second := mustLoadText(t, relative), mustLoadText(t, relative); first.Targets[0].Sessions[0].Same(second.Targets[0].Sessions[0]) {
		t.Error("a file is the same in another directory")
	}
}

// show returns what people see of a configuration.
func show(t *testing.T, config *Config) string {
	t.Helper()
	var b strings.Builder
	for _, target := range config.Targets {
		for _, session := range target.Sessions {
			fmt.Fprintf(&b, "%s/%s: %s, %s\n", target.Name, session.Name, target.URL, session.Credential())
		}
	}
	return b.String() + "\n" + effective(t, config)
}

// effective returns the configuration as YAML.
func effective(t *testing.T, config *Config) string {
	t.Helper()
	text, err := config.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// goodDir returns a directory with the cases that load.
func goodDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := txtar.Write(archives(t, "testdata/good.txtar")["testdata/good.txtar"], dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// session returns a configuration with one session.
func session(text string) string {
	return "targets: [{name: a, url: https://a, sessions: [" + text + "]}]"
}

func loadFile(file string) (*Config, error) { return (&Source{File: file}).Load() }

func loadText(t *testing.T, text string) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hmp.yml")
	write(t, file, text)
	return loadFile(file)
}

func mustLoadText(t *testing.T, text string) *Config {
	t.Helper()
	config, err := loadText(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func write(t testing.TB, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// keyPair makes a self-signed certificate and its key, both as PEM.
func keyPair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}
