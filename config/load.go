package config

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	promconfig "github.com/prometheus/common/config"
)

// A loader makes a Config from one or more documents.
type loader struct {
	ctx        context.Context // bounds the reading of files
	syntaxOnly bool            // as in Source
	inputs     map[input]digest
	problems   problems
	global     rawGlobal         // with its defaults
	names      map[string]string // the first position of each target's name
	positions  []position        // of the targets in config
	config     *Config
}

func newLoader(ctx context.Context) *loader {
	return &loader{
		ctx:    ctx,
		inputs: make(map[input]digest),
		global: rawGlobal{Timeout: defaultTimeout, TokenLifetime: defaultTokenLifetime},
		names:  make(map[string]string),
		config: new(Config),
	}
}

// document returns the position of a whole document.
func (l *loader) document(file string) position {
	if l.config.File == "" {
		l.config.File = file
	}
	return position{document: &document{file: file, lines: make(map[string]int), problems: &l.problems}}
}

// loadFile loads the main file and its target files.
func (l *loader) loadFile(file string) {
	p := l.document(file)
	if text, ok := l.readDocument(p); ok {
		l.loadText(p, text)
	}
}

// loadText loads the main document and its target files.
func (l *loader) loadText(p position, text []byte) {
	var raw rawFile
	if !p.decodeYAML(text, &raw) {
		return
	}
	p.child("global").applyDefaults(&raw.Global, l.global)
	l.global = raw.Global
	targets, targetFiles := p.child("targets"), p.child("target_files")
	if len(raw.Targets) == 0 && len(raw.TargetFiles) == 0 && !targets.isReported() && !targetFiles.isReported() {
		targets.report("no targets", "list at least one HMP, or set target_files")
	}
	l.addTargets(targets, raw.Targets)
	for _, file := range l.findTargetFiles(targetFiles, raw.TargetFiles) {
		l.config.TargetFiles++
		l.loadTargetFile(l.document(file))
	}
}

func (l *loader) loadTargetFile(p position) {
	var raw []rawTarget
	if text, ok := l.readDocument(p); ok && p.decodeYAML(text, &raw) {
		l.addTargets(p, raw)
	}
}

// read reads an input and remembers it for Source.Changed.
func (l *loader) read(i input) ([]byte, error) {
	data, err := i.read(l.ctx)
	l.inputs[i] = newDigest(data, err)
	return data, err
}

// readDocument returns the text of a file. It returns false if it reports a problem.
func (l *loader) readDocument(p position) ([]byte, bool) {
	text, err := l.read(input{p.file, maxConfigFile})
	if err != nil {
		hint := hintFor(err)
		if p.file == l.config.File && errors.Is(err, fs.ErrNotExist) {
			hint = "name another with --config.file, set HMP_URL, HMP_API_KEY_FILE and HMP_API_SECRET_FILE instead, or try hmp_exporter demo, which needs none"
		}
		p.report(err.Error(), hint)
	}
	return text, err == nil
}

// findTargetFiles returns the files that match target_files, sorted and each once.
func (l *loader) findTargetFiles(list position, patterns []string) []string {
	found := make(map[string]bool)
	dir := strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(list.dir()) // the directory's name is no pattern, and Windows has no escapes
	for i, pattern := range patterns {
		p := list.item(i)
		if pattern == "" || !p.checkPath(pattern) {
			continue // reported
		}
		full := filepath.Clean(promconfig.JoinDir(dir, pattern))
		matches, err := l.read(input{path: full})
		switch {
		case errors.Is(err, filepath.ErrBadPattern):
			p.report("is not a valid pattern", "a [ needs its ]")
		case err != nil:
			p.report(full+": "+err.Error(), hintFor(err))
		case len(matches) > 0:
			for file := range strings.SplitSeq(string(matches), "\x00") {
				found[file] = true
			}
		case !strings.ContainsAny(pattern, "*?["):
			p.report("no such file", "a relative path begins at the directory of the file that contains it; a pattern such as targets.d/*.yml can match nothing")
		default:
			l.config.LoadWarnings = append(l.config.LoadWarnings, p.error(full+": matches no file", "a relative pattern begins at the directory of the file that contains it"))
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// finish returns the configuration, or the problems if there are any.
func (l *loader) finish() (*Config, error) {
	if len(l.problems.first) > 0 {
		return nil, l.problems.errors(l.config.File)
	}
	c, global := l.config, l.global
	if len(c.Targets) == 0 {
		c.LoadWarnings = append(c.LoadWarnings, &Error{File: c.File, Problem: "no target: nothing is watched; list targets here or in target_files"})
	}
	// Encoded on first use, because it takes as long as the rest of a load.
	c.yaml = sync.OnceValues(func() ([]byte, error) { return encodeYAML(global, c.Targets) })
	return c, nil
}
