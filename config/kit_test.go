package config

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.uber.org/goleak"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write what is expected in testdata anew")

// archives returns the txtar archives that a pattern matches, by the name of the file.
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
				exportertest.WriteFile(t, home, string(bytes.TrimSpace(txtar.Format(archive)))+"\n")
			}
		})
	}
}

// show returns everything that the program can show of a configuration.
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

func loadFile(file string) (*Config, error) { return (&Source{File: file}).Load() }

func loadText(t *testing.T, text string) *Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hmp.yml")
	exportertest.WriteFile(t, file, text)
	config, err := loadFile(file)
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
	certificate, inPEM, err := hmpsim.SelfSigned(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(inPEM), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
