package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
)

// TestBad has a case for every way in which a configuration can be wrong, with all that
// is said about it.
func TestBad(t *testing.T) {
	for _, s := range suites(t, "testdata/bad/*.txtar") {
		t.Run(strings.TrimSuffix(filepath.Base(s.file), ".txtar"), func(t *testing.T) { s.each(t, problems) })
	}
}

// problems is what is said about a configuration that does not load.
func problems(t *testing.T, file string) string {
	t.Helper()
	config, err := Load(file)
	if _, ok := errors.AsType[Errors](err); !ok || config != nil {
		t.Fatalf("Load = %v, %v; want Errors alone", config, err)
	}
	return err.Error()
}

// TestBadText has the configurations that are no text, or too long to be a case of TestBad.
func TestBadText(t *testing.T) {
	const text = "targets:\n  - name: t # K\xf6ln\n    url: https://hmp.example\n"
	session := "{name: s, token: " + canary.Word + "}"
	bomb := "targets:\n  - sessions: &s [" + strings.Repeat(session+", ", 400) + session + "]\n" + strings.Repeat("  - {sessions: *s}\n", 400)
	for name, tt := range map[string]struct{ text, want string }{
		"Latin-1": {text, "hmp.yml:2: is not UTF-8 text; save the file as UTF-8"},
		"UTF-16":  {"\xff\xfet\x00a\x00", "hmp.yml: is UTF-16; save it as UTF-8"},
		"NUL":     {"targets:\n  - name: t\x00\n", "hmp.yml:1: malformed YAML: a control character; remove it, or save the file as UTF-8"},
		"bomb":    {bomb, "hmp.yml:2: too many values from aliases; write the values out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, "hmp.yml", tt.text)
			if diff := cmp.Diff(tt.want, problems(t, "hmp.yml")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestBadFile is about the file itself.
func TestBadFile(t *testing.T) {
	dir := t.TempDir()
	huge := filepath.Join(dir, "huge.yml")
	write(t, huge, "")
	if err := os.Truncate(huge, maxConfigFile+1); err != nil { // sparse
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file, want string
	}{
		{"testdata/nowhere.yml", "no such file or directory; name another with --config.file, set HMP_URL, HMP_API_KEY_FILE and HMP_API_SECRET_FILE instead, or try hmp_exporter demo, which needs none"},
		{"testdata", "is a directory; name the file in it"},
		{huge, "is too large"},
	} {
		_, err := Load(tt.file)
		if diff := cmp.Diff(tt.file+": "+tt.want, errorText(err)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

// TestGood has cases that load, with what is shown of each.
func TestGood(t *testing.T) {
	suites(t, "testdata/good.txtar")[0].each(t, func(t *testing.T, file string) string {
		config, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		canary.CheckValue(t, "the configuration", config)
		canary.CheckValue(t, "the configuration", *config)
		for _, target := range config.Targets {
			canary.CheckValue(t, "a target", target)
			canary.CheckValue(t, "a target", *target)
			for _, session := range target.Sessions {
				canary.CheckValue(t, "a session", session)
				canary.CheckValue(t, "a session", *session)
			}
		}
		yamlLoads(t, config)
		return strings.TrimSpace(show(t, config))
	})
}

// yamlLoads takes what YAML writes for a configuration file again.
func yamlLoads(t *testing.T, config *Config) {
	t.Helper()
	if len(config.Targets) == 0 {
		return // target_files are not in it, and without them no targets are an error
	}
	want := effective(t, config)
	again := filepath.Join(t.TempDir(), "hmp.yml")
	write(t, again, want)
	config, err := Load(again)
	if err != nil {
		t.Fatalf("%v\n%s", err, want)
	}
	dir := filepath.Dir(again) + string(filepath.Separator) // paths are relative to the file
	if diff := cmp.Diff(want, strings.ReplaceAll(effective(t, config), dir, "")); diff != "" {
		t.Errorf("(-first +again):\n%s", diff)
	}
}

// goodDir is a directory with the cases that load.
func goodDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	suites(t, "testdata/good.txtar")[0].extract(t, dir)
	return dir
}

// A file that an editor of Windows has saved is the same.
func TestByteOrderMarkAndCRLF(t *testing.T) {
	text := "targets:\n  - name: a\n    url: https://a.example\n    sessions: [{name: s, token: CANARY}]\n"
	config, err := loadText(t, "\ufeff"+strings.ReplaceAll(text, "\n", "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := loadText(t, text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(effective(t, plain), effective(t, config)); diff != "" {
		t.Errorf("(-plain +CRLF):\n%s", diff)
	}
}

func TestTargets(t *testing.T) {
	config, err := Load(filepath.Join(goodDir(t), "full.yml"))
	if err != nil {
		t.Fatal(err)
	}
	target := config.Targets[0]
	type plain struct {
		URL                    string
		Timeout, TokenLifetime time.Duration
		MaxBodySize            int64
		Switches               [3]bool
		ServerName             string
		ProxyConnectHeader     map[string][]string
		Modes                  []bool
	}
	got := plain{
		URL: target.URL.String(), Timeout: target.Timeout, TokenLifetime: target.TokenLifetime,
		MaxBodySize:        target.MaxBodySize,
		Switches:           [3]bool{target.KeepAlive, target.EnableHTTP2, target.ServiceMessageText},
		ServerName:         target.TLS.ServerName,
		ProxyConnectHeader: target.ProxyConnectHeader,
	}
	for _, s := range target.Sessions {
		got.Modes = append(got.Modes, s.KeyMode())
	}
	want := plain{
		URL: "https://hmp.studio.example:8443/prefix", Timeout: 90 * time.Second, TokenLifetime: time.Hour,
		MaxBodySize:        1 << 20,
		Switches:           [3]bool{true, true, true},
		ServerName:         "hmp",
		ProxyConnectHeader: map[string][]string{"Proxy-Authorization": {"CANARY-basic", "CANARY-more"}},
		Modes:              []bool{false, true, true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if lab := config.Targets[1]; lab.Timeout != 5*time.Second || lab.TokenLifetime != 20*time.Minute || lab.TLS == nil || lab.Proxy == nil {
		t.Errorf("target lab does not take over what is global: %v, %v", lab.Timeout, lab.TokenLifetime)
	}
}

// TestTargetFilesInOddDirectory has a directory whose name looks like a pattern.
func TestTargetFilesInOddDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[a]*")
	suites(t, "testdata/good.txtar")[0].extract(t, dir)
	config, err := Load(filepath.Join(dir, "target_files.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := config.Targets[1].Sessions[0].Token.String(), "token_file "+filepath.Join(dir, "targets.d", "a.token"); got != want {
		t.Errorf("token = %q, want %q", got, want)
	}
}

// show is what people are shown of a configuration.
func show(t *testing.T, config *Config) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, config.Summary())
	for _, target := range config.Targets {
		for _, session := range target.Sessions {
			fmt.Fprintf(&b, "%s/%s: %s, %s\n", target.Name, session.Name, target.URL, session.Credential())
		}
	}
	return b.String() + "\n" + effective(t, config)
}

// effective is the configuration as YAML.
func effective(t *testing.T, config *Config) string {
	t.Helper()
	text, err := config.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func loadText(t *testing.T, text string) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hmp.yml")
	write(t, file, text)
	return Load(file)
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
