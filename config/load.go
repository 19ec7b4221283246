package config

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/units"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/secret"
)

// The raw structs mirror the file: a field there is a field here, and the yaml tag
// is its name. They serve four ends: the decoder fills them, its messages take the
// names of the known fields from them, Config.YAML prints them, and a fingerprint is
// one of all that they hold.

// rawFile is the main file.
type rawFile struct {
	Global      rawGlobal   `yaml:"global"`
	Targets     []rawTarget `yaml:"targets"`
	TargetFiles []string    `yaml:"target_files,omitempty"`
}

// rawGlobal holds what a target takes over unless it says otherwise.
type rawGlobal struct {
	Timeout       model.Duration `yaml:"timeout,omitempty"`
	TokenLifetime model.Duration `yaml:"token_lifetime,omitempty"`
}

// rawTarget is one item of targets, in the main file or in one of target_files.
type rawTarget struct {
	Name               string           `yaml:"name"`
	URL                string           `yaml:"url"`
	Timeout            model.Duration   `yaml:"timeout,omitempty"`
	TokenLifetime      model.Duration   `yaml:"token_lifetime,omitempty"`
	KeepAlive          bool             `yaml:"keep_alive"`
	EnableHTTP2        bool             `yaml:"enable_http2"`
	MaxBodySize        units.Base2Bytes `yaml:"max_body_size,omitempty"`
	ServiceMessageText bool             `yaml:"service_message_text"`

	TLSConfig              *promconfig.TLSConfig `yaml:"tls_config,omitempty"`
	promconfig.ProxyConfig `yaml:",inline"`
	HTTPHeaders            promconfig.Headers `yaml:"http_headers,omitempty"`

	Sessions []rawSession `yaml:"sessions"`
}

// rawSession is one item of a target's sessions.
type rawSession struct {
	Name          string       `yaml:"name"`
	Token         secret.Value `yaml:"token,omitempty"`
	TokenFile     string       `yaml:"token_file,omitempty"`
	APIKey        secret.Value `yaml:"api_key,omitempty"`
	APIKeyFile    string       `yaml:"api_key_file,omitempty"`
	APISecret     secret.Value `yaml:"api_secret,omitempty"`
	APISecretFile string       `yaml:"api_secret_file,omitempty"`
}

// Load reads a configuration file and the target files that it names. The error is
// of type [Errors] and has every problem of all of them.
func Load(file string) (*Config, error) { return loadFile(context.Background(), file) }

func loadFile(ctx context.Context, file string) (*Config, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	b := newBuilder(ctx, file)

	var raw rawFile
	r := newReport(file, &b.errs)
	if !b.decodeFile(r, &raw) {
		return nil, b.errs.orNil()
	}
	dir := filepath.Dir(file)
	b.setGlobal(r, raw.Global)
	if len(raw.Targets) == 0 && len(raw.TargetFiles) == 0 && r.clean("targets") && r.clean("target_files") {
		r.add("targets", "no targets", "list at least one HMP, or set target_files")
	}
	b.targets(r, "targets", dir, raw.Targets)

	for _, path := range b.findTargetFiles(r, dir, raw.TargetFiles) {
		b.config.targetFiles++
		var raw []rawTarget
		if r := newReport(path, &b.errs); b.decodeFile(r, &raw) {
			b.targets(r, "", filepath.Dir(path), raw)
		}
	}
	return b.finish()
}

// decodeFile reads the file of a report and fills raw from it.
func (b *builder) decodeFile(r *report, raw any) bool {
	data, err := readFile(b.ctx, r.file, maxConfigFile)
	if err != nil {
		hint := fileHint(err)
		if _, main := raw.(*rawFile); main && errors.Is(err, fs.ErrNotExist) {
			hint = "name another with --config.file, set HMP_URL and HMP_TOKEN_FILE instead, or try hmp_exporter demo, which needs none"
		}
		r.addError(&Error{Problem: err.Error(), Hint: hint, cause: err})
		return false
	}
	return decode(data, r, raw)
}

// decode fills a raw value, a struct or a list, from YAML. It returns false if
// there is no point in a look at the fields.
func decode(data []byte, r *report, raw any) bool {
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
	d := decoder{report: r, left: nodes(node) + maxAliased}
	d.decode(node, "", out)
	return d.left > 0 && !r.broken[""]
}

// findTargetFiles expands the patterns of target_files to files, sorted and each once.
func (b *builder) findTargetFiles(r *report, dir string, patterns []string) []string {
	var files []string
	for i, pattern := range patterns {
		if pattern == "" {
			continue // reported by the decoder
		}
		full := inDir(dir, pattern)
		found, err := filepath.Glob(full)
		noteMatches(b.ctx, full, found)
		switch {
		case err != nil:
			r.add("target_files"+index(i), "is not a valid pattern", "a [ needs its ]")
		case len(found) == 0 && !isPattern(pattern):
			r.add("target_files"+index(i), "no such file", "a relative path is relative to the file it stands in; a pattern such as targets.d/*.yml can match nothing")
		case len(found) == 0:
			at := Error{File: r.file, Line: r.line("target_files" + index(i)), Field: "target_files" + index(i)}
			at.Problem, at.Hint = full+": matches no file", "a relative pattern is relative to the file it stands in"
			b.config.unwatched = append(b.config.unwatched, &at)
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
	if isPattern(dir) {
		dir = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
	}
	return filepath.Join(dir, pattern)
}

func isPattern(path string) bool { return strings.ContainsAny(path, "*?[") }
