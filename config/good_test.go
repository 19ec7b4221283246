package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestGood has, beside each file that loads, what is shown of it: the summary and
// the running configuration.
func TestGood(t *testing.T) {
	t.Chdir("testdata/good")
	files, err := filepath.Glob("*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d files: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".yml"), func(t *testing.T) {
			config, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			shown := show(t, config)
			golden(t, strings.TrimSuffix(file, ".yml")+".txt", shown)
			noCanary(t, shown)
			noCanary(t, printed(config, *config)...)
			for _, target := range config.Targets {
				noCanary(t, printed(target, *target)...)
				for _, session := range target.Sessions {
					noCanary(t, printed(session, *session)...)
				}
			}
		})
	}
}

// TestYAMLLoads takes what YAML writes for a configuration file again.
func TestYAMLLoads(t *testing.T) {
	t.Chdir("testdata/good")
	files, err := filepath.Glob("*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		config, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		want := effective(t, config)
		if len(config.Targets) == 0 {
			continue // target_files are not in it, and without them no targets are an error
		}
		// Beside the first one, because paths are relative to the file.
		again := filepath.Join(t.TempDir(), "hmp.yml")
		if err := os.WriteFile(again, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		config, err = Load(again)
		if err != nil {
			t.Fatalf("%s: %v\n%s", file, err, want)
		}
		got := effective(t, config)
		dir := filepath.Dir(again) + string(filepath.Separator)
		if diff := cmp.Diff(want, strings.ReplaceAll(got, dir, "")); diff != "" {
			t.Errorf("%s (-first +again):\n%s", file, diff)
		}
	}
}

func TestTargets(t *testing.T) {
	config, err := Load("testdata/good/full.yml")
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
	if err := os.CopyFS(dir, os.DirFS("testdata/good")); err != nil {
		t.Fatal(err)
	}
	config, err := Load(filepath.Join(dir, "target_files.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := config.Targets[1].Sessions[0].Token.String(), "token_file "+filepath.Join(dir, "targets.d", "a.token"); got != want {
		t.Errorf("token = %q, want %q", got, want)
	}
}

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

// printed gives values through every verb, also those that make no sense for them.
func printed(values ...any) []string {
	var texts []string
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			texts = append(texts, fmt.Sprintf(verb, value))
		}
	}
	return texts
}
