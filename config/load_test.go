package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// Each bad configuration has all its errors beside it.
func TestBad(t *testing.T) {
	runArchives(t, "testdata/bad/*.txtar", func(t *testing.T, file string) string {
		config, err := loadFile(file)
		if _, ok := errors.AsType[Errors](err); !ok || config != nil {
			t.Fatalf("Load = %v, %v; want Errors alone", config, err)
		}
		return err.Error()
	})
}

// TestBadText has files that a txtar archive cannot have.
func TestBadText(t *testing.T) {
	session := "{name: s, token: " + canary.Word + "}"
	bomb := "targets:\n  - sessions: &s [" + strings.Repeat(session+", ", 400) + session + "]\n" + strings.Repeat("  - {sessions: *s}\n", 400)
	for name, tt := range map[string]struct{ text, want string }{
		"Latin-1":               {"targets:\n  - name: t # K\xf6ln\n    url: https://hmp.example\n", "hmp.yml:2: is not UTF-8 text; save the file as UTF-8"},
		"mark":                  {"\ufefftargets:\n  - name: t\n   url: https://hmp.example\n", "hmp.yml:3: malformed YAML; check the indentation, "},
		"NUL":                   {"targets:\n  - name: t\x00\n", "hmp.yml:2: malformed YAML; check the indentation, "},
		"bomb":                  {bomb, "too many values from aliases; write the values out"},
		"many":                  {"targets:\n" + strings.Repeat("- {}\n", 1000), "\nhmp.yml: …and 2900 more problems"},
		"error in a large file": {"targets:\n" + strings.Repeat("- {name: t}\n", 50_000) + "  bad: [\n", "hmp.yml:50001: malformed YAML; check the indentation, "},
		"large":                 {strings.Repeat("#", maxConfigFile+1), "hmp.yml: is too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			exportertest.WriteFile(t, "hmp.yml", tt.text)
			if _, err := loadFile("hmp.yml"); !strings.Contains(errorText(err), tt.want) {
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
}

// Each good configuration has beside it what the program shows of it.
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
			exportertest.WriteFile(t, again, want)
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

// An editor on Windows can save a file with a byte order mark and CRLF.
func TestByteOrderMarkAndCRLF(t *testing.T) {
	text := "targets:\n  - name: a\n    url: https://a.example\n    sessions: [{name: s, token: CANARY}]\n"
	windows, plain := loadText(t, "\ufeff"+strings.ReplaceAll(text, "\n", "\r\n")), loadText(t, text)
	if diff := cmp.Diff(effective(t, plain), effective(t, windows)); diff != "" {
		t.Errorf("(-plain +CRLF):\n%s", diff)
	}
}

func TestTargetFilePatterns(t *testing.T) {
	dir := t.TempDir() + "/[a]*" // looks like a pattern
	for _, name := range []string{"d/.#a.yml", "d/._a.yml", "d/a.yml", "d/b.yml", "d/b.yml~", "d/..data/a.yml", "e/a.yml", "f.yml"} {
		exportertest.WriteFile(t, filepath.Join(dir, name), "[]")
	}
	for pattern, want := range map[string]string{
		"d/*.yml":       "d/a.yml d/b.yml",
		"d/?#a.yml":     "",
		"d/[!x]_a.yml":  "",
		"d/.*.yml":      "d/.#a.yml d/._a.yml",
		`d/\.*.yml`:     "d/.#a.yml d/._a.yml",
		"d/.#a.yml":     "d/.#a.yml",
		"*/a.yml":       "d/a.yml e/a.yml",
		"d/*/a.yml":     "",
		"d/..*/*.yml":   "d/..data/a.yml",
		"../*/d/b*.yml": "d/b.yml",
		"nowhere/*.yml": "",
		"f.yml/*.yml":   "",
		"nowhere.yml":   "",
	} {
		l := newLoader(t.Context())
		found := l.findTargetFiles(l.document(dir+"/hmp.yml"), []string{pattern, pattern})
		got := strings.ReplaceAll(strings.Join(found, " "), dir+"/", "")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pattern, diff)
		}
	}
}
