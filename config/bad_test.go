package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestBad has a file for every way in which a configuration can be wrong, and
// beside it all that is said about it.
func TestBad(t *testing.T) {
	t.Chdir("testdata/bad")
	files, err := filepath.Glob("*.yml")
	if err != nil || len(files) < 60 {
		t.Fatalf("found %d files: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".yml"), func(t *testing.T) {
			config, err := Load(file)
			if _, ok := errors.AsType[Errors](err); !ok || config != nil {
				t.Fatalf("Load = %v, %v; want Errors alone", config, err)
			}
			noCanary(t, err.Error())
			golden(t, strings.TrimSuffix(file, ".yml")+".txt", err.Error()+"\n")
		})
	}
}

func TestMissingFile(t *testing.T) {
	_, err := Load("testdata/nowhere.yml")
	want := "testdata/nowhere.yml: no such file or directory; name another with --config.file, set HMP_URL and HMP_TOKEN_FILE instead, or try hmp_exporter demo, which needs none"
	if diff := cmp.Diff(want, errorText(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("errors.Is(%q, os.ErrNotExist) = false", err)
	}
}

func TestDirectory(t *testing.T) {
	_, err := Load("testdata")
	if diff := cmp.Diff("testdata: is a directory; name the file in it", errorText(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHugeFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hmp.yml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, maxConfigFile+1); err != nil { // sparse
		t.Fatal(err)
	}
	_, err := Load(file)
	if !errors.Is(err, errTooLarge) {
		t.Errorf("Load = %v, want %v", err, errTooLarge)
	}
}

// golden compares got with a file, or writes the file with -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run the test with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("not as in %s (-want +got):\n%s", file, diff)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
