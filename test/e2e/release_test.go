//go:build linux && release

package e2e

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A dist is the output of goreleaser. `make release-check` builds it before these tests.
type dist struct {
	Version, Commit string
	Date            time.Time // of the commit
}

func readDist(t *testing.T) (d dist) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, d.file("metadata.json"))), &d); err != nil {
		t.Fatal(err)
	}
	if d.Commit == "" {
		t.Fatal("goreleaser found no commit; it needs a clone that has a remote")
	}
	var err error
	if d.Date, err = time.Parse(time.RFC3339, strings.TrimSpace(run(t, "git", "log", "-1", "--format=%cI", d.Commit))); err != nil {
		t.Fatal(err)
	}
	return d
}

func (dist) file(name string) string { return filepath.Join("../../dist", name) }

func (d dist) archive(platform, extension string) string {
	return d.file("hmp_exporter-" + d.Version + "." + platform + extension)
}

func (d dist) pkg(extension string) string {
	return d.file("hmp-exporter-" + d.Version + ".linux-amd64" + extension)
}

// deliverables returns the files of a release, without the list of checksums.
func (d dist) deliverables() (names []string) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, processor := range []string{"amd64", "arm64"} {
			platform, extension := "."+system+"-"+processor, ".tar.gz"
			if system == "windows" {
				extension = ".zip"
			}
			names = append(names, "hmp_exporter-"+d.Version+platform+extension, "hmp_exporter-"+d.Version+platform+".cdx.json")
			if system == "linux" {
				names = append(names, "hmp-exporter-"+d.Version+platform+".deb", "hmp-exporter-"+d.Version+platform+".rpm")
			}
		}
	}
	slices.Sort(names)
	return names
}

// TestReleaseChecksums checks that the list has every file of the release and its checksum.
func TestReleaseChecksums(t *testing.T) {
	d := readDist(t)
	var listed []string
	for line := range strings.Lines(read(t, d.file("hmp_exporter-"+d.Version+".sha256sums"))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if got := sha256.Sum256([]byte(read(t, d.file(name)))); hex.EncodeToString(got[:]) != sum {
			t.Errorf("the checksum of %s is not %s", name, sum)
		}
		listed = append(listed, name)
	}
	slices.Sort(listed)
	if diff := cmp.Diff(d.deliverables(), listed); diff != "" {
		t.Errorf("files (-want +listed):\n%s", diff)
	}
}

// TestReleaseProgram checks that the program in the archive is the one of `make build`.
func TestReleaseProgram(t *testing.T) {
	d := readDist(t)
	files, name := d.unpack(t, "linux-amd64"), filepath.Join(t.TempDir(), "hmp_exporter")
	build := command(t, "make", "-C", "../..", "build", "BIN="+name, "VERSION="+d.Version, "REVISION="+d.Commit)
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	output(t, build)
	if read(t, name) != string(files["hmp_exporter"]) {
		t.Error("the program in the archive differs")
	}
}

// TestReleaseArchives checks the files in each archive. They have the time of the commit, and
// belong to root.
func TestReleaseArchives(t *testing.T) {
	d := readDist(t)
	want := []string{"CHANGELOG.md", "LICENSE", "README.md", "completion.bash", "completion.zsh", "hmp_exporter.1.gz", "reference.yml"}
	for _, pattern := range []string{"dashboards/*.json", "dashboards/alerts/*.yml"} {
		for _, file := range glob(t, "../../"+pattern) {
			want = append(want, strings.TrimPrefix(file, "../../"))
		}
	}
	for _, platform := range []string{"linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64", "windows-amd64", "windows-arm64"} {
		t.Run(platform, func(t *testing.T) {
			program := "hmp_exporter"
			if strings.HasPrefix(platform, "windows") {
				program += ".exe"
			}
			want := slices.Sorted(slices.Values(append(slices.Clone(want), program)))
			files := d.unpack(t, platform)
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if manual := gunzip(t, files["hmp_exporter.1.gz"]); !bytes.Contains(manual, []byte(".TH HMP_EXPORTER 1")) {
				t.Errorf("this is not a manual page: %.200s", manual)
			}
			if !bytes.Contains(files["completion.bash"], []byte("-F _hmp_exporter hmp_exporter")) || !bytes.Contains(files["completion.zsh"], []byte("#compdef hmp_exporter")) {
				t.Error("these are not completions")
			}
		})
	}
}

// unpack returns the files of an archive by name.
func (d dist) unpack(t *testing.T, platform string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	add := func(name string, modified time.Time, content io.Reader) {
		text, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		name, ok := strings.CutPrefix(name, "hmp_exporter-"+d.Version+"."+platform+"/")
		if !ok || !modified.Equal(d.Date) {
			t.Errorf("%s is outside the directory of the archive, or has the time %s, want %s", name, modified, d.Date)
		}
		files[name] = text
	}
	if strings.HasPrefix(platform, "windows") {
		archive, err := zip.OpenReader(d.archive(platform, ".zip"))
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		for _, file := range archive.File {
			content, err := file.Open()
			if err != nil {
				t.Fatal(err)
			}
			add(file.Name, file.Modified, content)
		}
		return files
	}
	archive := tar.NewReader(bytes.NewReader(gunzip(t, []byte(read(t, d.archive(platform, ".tar.gz"))))))
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Uname != "root" || header.Gname != "root" {
			t.Errorf("%s belongs to %s:%s", header.Name, header.Uname, header.Gname)
		}
		add(header.Name, header.ModTime, archive)
	}
}

func gunzip(t *testing.T, compressed []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestReleaseSBOM compares the list of modules with what Go finds in each program.
func TestReleaseSBOM(t *testing.T) {
	d := readDist(t)
	for _, platform := range []string{"linux-amd64", "darwin-arm64", "windows-amd64"} {
		t.Run(platform, func(t *testing.T) {
			files := d.unpack(t, platform)
			program := write(t, t.TempDir(), "hmp_exporter", string(files["hmp_exporter"])+string(files["hmp_exporter.exe"]))
			var want []string
			for line := range strings.Lines(run(t, "go", "version", "-m", program)) {
				if fields := strings.Fields(line); fields[0] == "dep" {
					want = append(want, fields[1]+" "+fields[2])
				}
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, d.components(t, platform)); diff != "" || len(want) < 20 {
				t.Errorf("modules (-program +SBOM):\n%s", diff)
			}
		})
	}
}

// components returns the modules in an SBOM, without Go's standard library.
func (d dist) components(t *testing.T, platform string) (modules []string) {
	t.Helper()
	var sbom struct {
		BOMFormat  string `json:"bomFormat"`
		Components []struct{ Name, Version, PURL string }
	}
	if err := json.Unmarshal([]byte(read(t, d.archive(platform, ".cdx.json"))), &sbom); err != nil {
		t.Fatal(err)
	}
	if sbom.BOMFormat != "CycloneDX" {
		t.Errorf("the format is %q", sbom.BOMFormat)
	}
	for _, c := range sbom.Components {
		if c.Name == "std" {
			continue
		}
		if !strings.HasPrefix(c.PURL, "pkg:golang/") {
			t.Errorf("%s has the PURL %s", c.Name, c.PURL)
		}
		modules = append(modules, c.Name+" "+c.Version)
	}
	slices.Sort(modules)
	return modules
}
