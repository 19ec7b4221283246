package config

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what is expected in testdata anew")

// A suite is an archive of testdata with cases: NAME.yml is a configuration, and
// NAME.txt beside it what is said of it. Any other file in it is one that they lead to.
type suite struct {
	file    string
	archive *txtar.Archive
}

// suites reads the archives that a pattern matches.
func suites(t testing.TB, pattern string) []suite {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %v", pattern, files, err)
	}
	var all []suite
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, suite{file, archive})
	}
	return all
}

// extract writes the files of the archive into a directory.
func (s suite) extract(t testing.TB, dir string) {
	t.Helper()
	if err := txtar.Write(s.archive, dir); err != nil {
		t.Fatal(err)
	}
}

// each compares what tell says of each case with what is expected, from within a
// directory with the files.
func (s suite) each(t *testing.T, tell func(t *testing.T, file string) string) {
	t.Helper()
	home, err := filepath.Abs(s.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	s.extract(t, ".")
	for i, want := range s.archive.Files {
		name, isWant := strings.CutSuffix(want.Name, ".txt")
		if !isWant {
			continue
		}
		t.Run(name, func(t *testing.T) {
			got := tell(t, name+".yml")
			noCanary(t, got)
			if *update {
				s.archive.Files[i].Data = []byte(got + "\n\n")
			} else if diff := cmp.Diff(string(bytes.TrimSpace(want.Data)), got); diff != "" {
				t.Errorf("not as in %s (-want +got):\n%s", s.file, diff)
			}
		})
	}
	if *update {
		text := append(bytes.TrimSpace(txtar.Format(s.archive)), '\n')
		if err := os.WriteFile(home, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
