package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Load reads a configuration file and the target files that it names. The error is
// of type [Errors] and has every problem of all of them.
func Load(file string) (*Config, error) {
	var errs Errors
	b := newBuilder(&errs)
	b.config.source = file

	r := newReport(file, &errs)
	data, err := readFile(file, maxConfigFile)
	if err != nil {
		hint := fileHint(err)
		if errors.Is(err, fs.ErrNotExist) {
			hint = "name another with --config.file, set HMP_URL and HMP_TOKEN_FILE instead, or try hmp_exporter demo, which needs none"
		}
		r.addError(&Error{Problem: err.Error(), Hint: hint, cause: err})
		return nil, errs.orNil()
	}

	var raw rawFile
	if !decodeFile(data, r, &raw) {
		return nil, errs.orNil()
	}
	dir := filepath.Dir(file)
	b.setGlobal(r, raw.Global)
	if len(raw.Targets) == 0 && len(raw.TargetFiles) == 0 && r.clean("targets") && r.clean("target_files") {
		r.add("targets", "no targets", "list at least one HMP, or set target_files")
	}
	b.targets(r, "targets", dir, raw.Targets)
	for i, path := range b.targetFiles(r, dir, raw.TargetFiles) {
		b.config.targetFiles = i + 1
		b.targetFile(path)
	}
	return b.finish()
}

// decodeFile fills a raw value, a struct or a list, from YAML. It returns false if
// there is no point in a look at the fields.
func decodeFile(data []byte, r *report, raw any) bool {
	node := parseYAML(data, r)
	if node == nil {
		return false
	}
	out := reflect.ValueOf(raw).Elem()
	switch {
	case out.Kind() == reflect.Struct && node.Kind != yaml.MappingNode:
		r.addAt(node.Line, "", "want a mapping, found "+kindOf(node), "put a list of targets under targets:")
		return false
	case out.Kind() == reflect.Slice && node.Kind == yaml.MappingNode:
		r.addAt(node.Line, "", "want a list of targets, found a mapping", "leave out the line targets:, or does a pattern of target_files match a main file?")
		return false
	}
	d := decoder{report: r, known: make(map[reflect.Type]fields)}
	d.decode(node, "", out)
	return !d.stopped && !r.broken[""]
}

// targetFile adds the targets of one of target_files.
func (b *builder) targetFile(path string) {
	r := newReport(path, b.errs)
	data, err := readFile(path, maxConfigFile)
	if err != nil {
		r.addError(&Error{Problem: err.Error(), Hint: fileHint(err), cause: err})
		return
	}
	var raw []rawTarget
	if decodeFile(data, r, &raw) {
		b.targets(r, "", filepath.Dir(path), raw)
	}
}

// targetFiles expands the patterns of target_files to files, sorted and each once.
func (b *builder) targetFiles(r *report, dir string, patterns []string) []string {
	var files []string
	for i, pattern := range patterns {
		path := "target_files" + index(i)
		if pattern == "" {
			continue // reported by the decoder
		}
		found, err := filepath.Glob(inDir(dir, pattern))
		switch {
		case err != nil:
			r.add(path, "is not a valid pattern", "a [ needs its ]")
		case len(found) == 0 && !hasMeta(pattern):
			r.add(path, "no such file", "a relative path is relative to the file it stands in; a pattern such as targets.d/*.yml can match nothing")
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// inDir makes a pattern relative to a directory whose own name is no pattern.
func inDir(dir, pattern string) string {
	if filepath.IsAbs(pattern) {
		return filepath.Clean(pattern)
	}
	if hasMeta(dir) {
		dir = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
	}
	return filepath.Join(dir, pattern)
}

func hasMeta(path string) bool { return strings.ContainsAny(path, "*?[") }
