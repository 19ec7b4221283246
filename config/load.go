package config

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

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

type rawSession struct {
	Name          string       `yaml:"name"`
	Token         secret.Value `yaml:"token,omitempty"`
	TokenFile     string       `yaml:"token_file,omitempty"`
	APIKey        secret.Value `yaml:"api_key,omitempty"`
	APIKeyFile    string       `yaml:"api_key_file,omitempty"`
	APISecret     secret.Value `yaml:"api_secret,omitempty"`
	APISecretFile string       `yaml:"api_secret_file,omitempty"`
}

// DefaultFile is the configuration file if no other is named.
const DefaultFile = "hmp.yml"

// A Source is where a configuration comes from: a file with its target files, or environment
// variables.
type Source struct {
	File   string                   // "" for [DefaultFile]
	Getenv func(name string) string // nil for no environment variables
	// SyntaxOnly is for a check on a machine without the secrets: Load opens no file of a
	// secret, CA or key.
	SyntaxOnly bool
	// ForCheck keeps what [Config.Check] needs: 0.5 kB for each secret.
	ForCheck bool

	mu     sync.Mutex
	inputs map[input]digest // of the last load
}

// Load loads the configuration. The error is of type [Errors] and has the problems of all
// files, except if there are both a file and variables.
func (s *Source) Load() (*Config, error) {
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	file := cmp.Or(s.File, DefaultFile)
	l := newLoader(ctx, s)
	if s.Getenv == nil || !inEnvironment(s.Getenv) {
		l.loadFiles(file)
	} else {
		exists, err := files.exists(ctx, file)
		switch {
		case s.File != "" || exists:
			return nil, fmt.Errorf("there are two configurations, %s and HMP_ variables in the environment: take one away", file)
		case err != nil:
			return nil, Errors{Error{File: file}.with(err.Error(), hintFor(err))}
		}
		l.loadEnvironment(s.Getenv)
	}
	s.mu.Lock()
	s.inputs = l.inputs
	s.mu.Unlock()
	return l.finish()
}

// Parse makes a configuration from a text. Messages name it like a file.
func Parse(name string, text []byte) (*Config, error) {
	l := newLoader(context.Background(), new(Source))
	p := l.document(name)
	var raw rawFile
	if p.decodeYAML(text, &raw) {
		l.load(p, raw)
	}
	return l.finish()
}

// Changed reports whether the configuration file, a target file, a CA file or a client
// certificate has other content than for the last Load, or a pattern matches other files.
// After a failed load, the exporter loads again only after a change. Secret files do not count,
// because each probe reads them. A file that could not be read in time counts as unchanged.
func (s *Source) Changed(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	s.mu.Lock()
	inputs := s.inputs // Load replaces the map and does not change it
	s.mu.Unlock()
	// All at once, so that a file that hangs does not hide a change of another.
	results := make(chan bool, len(inputs))
	reader := files // a copy, because some goroutines can outlive this call
	for i, before := range inputs {
		go func() {
			data, err := i.read(ctx, reader)
			results <- !errors.Is(err, errSlowFile) && newDigest(data, err) != before
		}()
	}
	for range inputs {
		if <-results {
			return true
		}
	}
	return false
}

// An input is a file, or a pattern of files.
type input struct {
	path  string
	limit int64 // see readFile; 0 for a pattern
}

// read returns the content of a file, or the matches of a pattern, separated by zeros.
func (i input) read(ctx context.Context, f *fileReader) ([]byte, error) {
	if i.limit > 0 {
		return f.readFile(ctx, i.path, i.limit)
	}
	found, err := f.findFiles(ctx, i.path)
	return []byte(strings.Join(found, "\x00")), err
}

// A digest is the hash of what was read, or of the error.
type digest [sha256.Size]byte

func newDigest(data []byte, err error) digest {
	if err != nil {
		data = []byte("error: " + err.Error())
	}
	return sha256.Sum256(data)
}

// A loader makes a Config from one or more documents.
type loader struct {
	*Source
	ctx    context.Context // bounds the reading of files
	inputs map[input]digest
	errs   problems
	config *Config
	global rawGlobal         // with its defaults
	names  map[string]string // the first position of each target's name
}

func newLoader(ctx context.Context, s *Source) *loader {
	return &loader{
		Source: s,
		ctx:    ctx,
		inputs: make(map[input]digest),
		config: new(Config),
		global: rawGlobal{Timeout: defaultTimeout, TokenLifetime: defaultTokenLifetime},
		names:  make(map[string]string),
	}
}

// document returns the position of a whole document.
func (l *loader) document(file string) position {
	if l.config.File == "" {
		l.config.File = file
	}
	return position{document: &document{file: file, lines: make(map[string]int), errs: &l.errs}}
}

// read reads an input and remembers it for Changed.
func (l *loader) read(i input) ([]byte, error) {
	data, err := i.read(l.ctx, files)
	l.inputs[i] = newDigest(data, err)
	return data, err
}

func (l *loader) loadFiles(file string) {
	p := l.document(file)
	var raw rawFile
	if l.decodeFile(p, &raw) {
		l.load(p, raw)
	}
}

// load validates the main document and loads its target files.
func (l *loader) load(p position, raw rawFile) {
	l.global = p.child("global").inherit(raw.Global, l.global)
	if len(raw.Targets) == 0 && len(raw.TargetFiles) == 0 && p.valid("targets") && p.valid("target_files") {
		p.add("targets", "no targets", "list at least one HMP, or set target_files")
	}
	l.targets(p, "targets", raw.Targets)

	for _, path := range l.findTargetFiles(p, raw.TargetFiles) {
		l.config.TargetFiles++
		p, raw := l.document(path), []rawTarget(nil)
		if l.decodeFile(p, &raw) {
			l.targets(p, "", raw)
		}
	}
}

// decodeFile reads and decodes the file of p. It reports all problems, and returns false if
// there is nothing to validate.
func (l *loader) decodeFile(p position, raw any) bool {
	data, err := l.read(input{p.file, maxConfigFile})
	if err == nil {
		return p.decodeYAML(data, raw)
	}
	hint := hintFor(err)
	if p.file == l.config.File && errors.Is(err, fs.ErrNotExist) {
		hint = "name another with --config.file, set HMP_URL, HMP_API_KEY_FILE and HMP_API_SECRET_FILE instead, or try hmp_exporter demo, which needs none"
	}
	p.add("", err.Error(), hint)
	return false
}

// findTargetFiles returns the files that match target_files, sorted and each once.
func (l *loader) findTargetFiles(p position, patterns []string) []string {
	found := make(map[string]bool)
	for i, pattern := range patterns {
		if pattern == "" || !p.item("target_files", i).checkPath("", pattern) {
			continue // reported
		}
		dir := strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(p.dir()) // the directory's name is no pattern
		full := filepath.Clean(promconfig.JoinDir(dir, pattern))
		matches, err := l.read(input{path: full})
		p := p.item("target_files", i)
		switch {
		case errors.Is(err, filepath.ErrBadPattern):
			p.add("", "is not a valid pattern", "a [ needs its ]")
		case err != nil:
			p.add("", full+": "+err.Error(), hintFor(err))
		case len(matches) > 0:
			for file := range strings.SplitSeq(string(matches), "\x00") {
				found[file] = true
			}
		case !strings.ContainsAny(pattern, "*?["):
			p.add("", "no such file", "a relative path begins at the directory of the file that contains it; a pattern such as targets.d/*.yml can match nothing")
		default:
			l.config.LoadWarnings = append(l.config.LoadWarnings, p.error("").with(full+": matches no file", "a relative pattern begins at the directory of the file that contains it"))
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// finish returns the Config, or the problems if there are any.
func (l *loader) finish() (*Config, error) {
	if len(l.errs.first) > 0 {
		return nil, l.errs.errors(l.config.File)
	}
	c := l.config
	if len(c.Targets) == 0 {
		c.LoadWarnings = append(c.LoadWarnings, Error{File: c.File}.with("no target: nothing is watched", "list targets here or in target_files"))
	}
	// Encoded on first use, because it takes as long as the rest of a load.
	c.yaml = sync.OnceValues(func() ([]byte, error) { return encode(l.global, c.Targets) })
	return c, nil
}
