package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/exportertest"
)

const dependencies = "docs/dependencies.md"

// A dependency is a row of the page: a module, its licence, and whether it is in the program.
type dependency struct{ Licence, Linked string }

// The table of the page is go.mod, with what the program is really linked from.
func TestDependencies(t *testing.T) {
	want, linked, texts := make(map[string]dependency), linkedModules(t), licencesOf(t)
	for _, m := range manifestOf(t, ".").Require {
		row := dependency{Licence: texts[m.Path], Linked: "no"}
		if slices.Contains(linked, m.Path) {
			row.Linked = "yes"
		}
		want[m.Path] = row
	}

	got := make(map[string]dependency)
	for line := range strings.Lines(between(t, readDependencies(t), "<!-- modules -->\n", "<!-- end of modules -->")) {
		cells := strings.Split(line, " | ")
		module := strings.Trim(cells[0], "| `")
		if module == "module" || strings.HasPrefix(module, "-") {
			continue
		}
		if _, twice := got[module]; twice || len(cells) != 4 || strings.Trim(cells[3], "| \n") == "" {
			t.Errorf("this is not one row for a module, with a reason: %s", line)
			continue
		}
		got[module] = dependency{Licence: cells[2], Linked: cells[1]}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-go.mod +page):\n%s", dependencies, diff)
	}
}

// The page names what the other modules of the repository are for.
func TestDependenciesOfTools(t *testing.T) {
	page := readDependencies(t)
	for _, dir := range nestedModules(t) {
		manifest := manifestOf(t, dir)
		names := manifest.Tool
		for _, m := range manifest.Require {
			if !m.Indirect {
				names = append(names, m)
			}
		}
		row := between(t, page, "| [`"+dir+"`](../"+dir+"/go.mod) | ", "\n")
		for _, name := range names {
			if !strings.Contains(row, "`"+name.Path+"`") {
				t.Errorf("%s does not say of %s what %s is for", dependencies, dir, name.Path)
			}
		}
	}
}

// `make lint` minds every go.mod that there is.
func TestModulesOfMakefile(t *testing.T) {
	list := between(t, readFile(t, "Makefile"), "\nMODULES = ", "\n\n")
	got := strings.Fields(strings.ReplaceAll(list, "\\", ""))
	want := append([]string{"."}, nestedModules(t)...)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("MODULES (-there +listed):\n%s", diff)
	}
}

// nestedModules are the directories below this one that have a go.mod, sorted.
func nestedModules(t *testing.T) (dirs []string) {
	t.Helper()
	for _, pattern := range []string{"*/go.mod", "*/*/go.mod", "*/*/*/go.mod"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			dirs = append(dirs, filepath.Dir(file))
		}
	}
	slices.Sort(dirs)
	return dirs
}

func readDependencies(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(dependencies)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// A manifest is what a go.mod says.
type manifest struct{ Require, Tool []required }

type required struct {
	Path     string
	Indirect bool
}

func manifestOf(t *testing.T, dir string) (m manifest) {
	t.Helper()
	if err := json.Unmarshal([]byte(goCommand(t, "mod", "edit", "-json", filepath.Join(dir, "go.mod"))), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// linkedModules lists the modules that the program is linked from, as it is released.
func linkedModules(t *testing.T) []string {
	t.Helper()
	return strings.Fields(goCommand(t, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "."))
}

// licences are told by what only they say.
var licences = []struct{ name, says string }{
	{"MIT", "Permission is hereby granted, free of charge"},
	{"BSD-3-Clause", "may be used to endorse or promote"},
	{"Apache-2.0", "Apache License"},
}

// licencesOf names the licences in the texts that come with each module of go.mod.
func licencesOf(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	downloaded, err := exec.Command("go", "mod", "download", "-json").Output()
	if err != nil {
		exportertest.LeaveOut(t, "a module cannot be downloaded for its licence")
	}
	modules := json.NewDecoder(bytes.NewReader(downloaded))
	for modules.More() {
		var module struct{ Path, Dir string }
		if err := modules.Decode(&module); err != nil {
			t.Fatal(err)
		}
		var names []string
		text := licenceText(t, module.Dir)
		for _, l := range licences {
			if strings.Contains(text, l.says) {
				names = append(names, l.name)
			}
		}
		found[module.Path] = strings.Join(names, ", ")
	}
	return found
}

// licenceText returns the words of all licences in a directory, however they are wrapped.
func licenceText(t *testing.T, dir string) string {
	t.Helper()
	var text strings.Builder
	for _, pattern := range []string{"LICENSE*", "COPYING*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text.Write(content)
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(output)
}
