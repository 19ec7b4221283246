package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckSecrets(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("directory", 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, "empty", "\n")
	write(t, "lines", "CANARY\nCANARY\n")
	write(t, "bearer", "Bearer CANARY\n")
	write(t, "good", "CANARY\n")
	write(t, "hmp.yml", `targets:
  - name: studio
    url: https://hmp.example
    http_headers:
      X-Key: {files: [good, empty]}
    sessions:
      - {name: a, token_file: good}
      - {name: b, token_file: nowhere}
      - {name: c, token_file: bearer}
      - {name: d, api_key_file: lines, api_secret_file: directory}
target_files: [more.yml]
`)
	write(t, "more.yml", "- {name: more, url: https://more.example, sessions: [{name: a, token_file: empty}]}\n")

	config, err := Load("hmp.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := `hmp.yml:5: targets[0].http_headers.X-Key.files[1]: empty: is empty
hmp.yml:8: targets[0].sessions[1].token_file: nowhere: no such file or directory; a relative path is relative to the file it stands in
hmp.yml:9: targets[0].sessions[2].token_file: bearer: begins with the word Bearer; leave out the word Bearer
hmp.yml:10: targets[0].sessions[3].api_key_file: lines: has more than one line; it is one line and nothing else
hmp.yml:10: targets[0].sessions[3].api_secret_file: directory: is a directory; name the file in it
more.yml:1: [0].sessions[0].token_file: empty: is empty; write the secret into it, and nothing else`
	if diff := cmp.Diff(want, errorText(config.CheckSecrets())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckSecretsWithoutProblem(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), "CANARY\n")
	write(t, filepath.Join(dir, "hmp.yml"), "targets: [{name: a, url: https://a, sessions: [{name: a, token_file: token}]}]")
	config, err := Load(filepath.Join(dir, "hmp.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := config.CheckSecrets(); err != nil {
		t.Error(err)
	}
}
