package config

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/units"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"hmp_exporter/internal/secret"
)

// rawFile mirrors the main file. The decoder fills the raw structs and uses their field names
// in its messages. Config.YAML prints them, and Same compares them.
type rawFile struct {
	Global      rawGlobal   `yaml:"global"`
	Targets     []rawTarget `yaml:"targets"`
	TargetFiles []string    `yaml:"target_files,omitempty"`
}

type rawGlobal struct {
	Timeout       model.Duration `yaml:"timeout,omitempty"`
	TokenLifetime model.Duration `yaml:"token_lifetime,omitempty"`
}

type rawTarget struct {
	Name               string `yaml:"name"`
	URL                string `yaml:"url"`
	Address            string `yaml:"address,omitempty"`
	rawGlobal          `yaml:",inline"`
	MaxConcurrent      int              `yaml:"max_concurrent,omitempty"`
	Labels             labels           `yaml:"labels,omitempty"`
	KeepAlive          bool             `yaml:"keep_alive"`
	EnableHTTP2        bool             `yaml:"enable_http2"`
	MaxBodySize        units.Base2Bytes `yaml:"max_body_size,omitempty"`
	ServiceMessageText bool             `yaml:"service_message_text"`

	TLSConfig              promconfig.TLSConfig `yaml:"tls_config,omitempty"`
	promconfig.ProxyConfig `yaml:",inline"`
	HTTPHeaders            map[string]promconfig.Header `yaml:"http_headers,omitempty"`
	Sessions               []rawSession                 `yaml:"sessions"`
}

// labels are the labels of a target, by name.
type labels map[string]string

type rawSession struct {
	Name          string       `yaml:"name"`
	Token         secret.Value `yaml:"token,omitempty"`
	TokenFile     string       `yaml:"token_file,omitempty"`
	APIKey        secret.Value `yaml:"api_key,omitempty"`
	APIKeyFile    string       `yaml:"api_key_file,omitempty"`
	APISecret     secret.Value `yaml:"api_secret,omitempty"`
	APISecretFile string       `yaml:"api_secret_file,omitempty"`
}

// Load reads a configuration file and its target files. The error is of type [Errors] and
// has every problem of all files.
func Load(file string) (*Config, error) { return loadFile(context.Background(), file) }

func loadFile(ctx context.Context, file string) (*Config, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	b, p := newBuilder(ctx, file)
	var raw rawFile
	if !b.decodeFile(p.report, &raw) {
		return nil, b.errs.orNil()
	}
	return b.build(p, &raw)
}

// Parse reads a configuration from a text. Its name stands for a file in messages.
func Parse(name string, text []byte) (*Config, error) {
	b, p := newBuilder(context.Background(), name)
	var raw rawFile
	if !decode(text, p.report, &raw) {
		return nil, b.errs.orNil()
	}
	return b.build(p, &raw)
}

// build makes the configuration from the main file.
func (b *builder) build(p position, raw *rawFile) (*Config, error) {
	b.global = p.child("global").inherit(raw.Global, b.global)
	if len(raw.Targets) == 0 && len(raw.TargetFiles) == 0 && p.valid("targets") && p.valid("target_files") {
		p.add("targets", "no targets", "list at least one HMP, or set target_files")
	}
	b.targets(p.child("targets"), raw.Targets)

	for _, path := range b.findTargetFiles(p, raw.TargetFiles) {
		b.config.targetFiles++
		var raw []rawTarget
		if p := b.file(path); b.decodeFile(p.report, &raw) {
			b.targets(p, raw)
		}
	}
	return b.finish()
}

func (b *builder) decodeFile(r *report, raw any) bool {
	data, err := readFile(b.ctx, r.file, maxConfigFile)
	if err != nil {
		hint := hintFor(err)
		if _, main := raw.(*rawFile); main && errors.Is(err, fs.ErrNotExist) {
			hint = "name another with --config.file, set HMP_URL, HMP_API_KEY_FILE and HMP_API_SECRET_FILE instead, or try hmp_exporter demo, which needs none"
		}
		r.add(0, "", err.Error(), hint)
		return false
	}
	return decode(data, r, raw)
}

// findTargetFiles returns the files that match target_files, sorted and each once.
func (b *builder) findTargetFiles(p position, patterns []string) []string {
	var files []string
	for i, pattern := range patterns {
		if pattern == "" {
			continue // reported by the decoder
		}
		dir := strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(p.dir) // the directory's name is no pattern
		full := filepath.Clean(promconfig.JoinDir(dir, pattern))
		found, err := findFiles(b.ctx, full)
		switch {
		case errors.Is(err, filepath.ErrBadPattern):
			p.add("target_files"+indexPath(i), "is not a valid pattern", "a [ needs its ]")
		case err != nil:
			p.add("target_files"+indexPath(i), full+": "+err.Error(), hintFor(err))
		case len(found) == 0 && !strings.ContainsAny(pattern, "*?["):
			p.add("target_files"+indexPath(i), "no such file", "a relative path starts at the directory of the file that names it; a pattern such as targets.d/*.yml can match nothing")
		case len(found) == 0:
			b.config.unmatchedPatterns = append(b.config.unmatchedPatterns, p.error("target_files"+indexPath(i)).with(full+": matches no file", "a relative pattern is relative to the file that has it"))
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files)
}
