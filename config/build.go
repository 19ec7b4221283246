package config

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// Defaults and bounds.
const (
	defaultTimeout       = model.Duration(10 * time.Second)
	defaultTokenLifetime = model.Duration(30 * time.Minute) // as HMP documents it
	defaultBodySize      = 64 * units.MiB

	maxTimeout = model.Duration(time.Hour)

	// A login leaves a session behind on HMP, so one that renews its token all the
	// time would do harm.
	minTokenLifetime = model.Duration(time.Minute)
	maxTokenLifetime = model.Duration(24 * time.Hour)

	minBodySize = units.KiB
	maxBodySize = units.GiB

	maxName = 64 // bytes; names become label values, of some sixty samples each
)

// builder makes a Config from the raw structs of one or more files.
type builder struct {
	errs   *Errors
	config *Config

	effective rawFile           // all targets with their defaults, for Config.YAML
	names     map[string]string // where each target's name was given first
	kept      map[string]bool   // the configuration files that have secrets in them
}

func newBuilder(errs *Errors) *builder {
	return &builder{errs: errs, config: new(Config), names: make(map[string]string), kept: make(map[string]bool)}
}

// setGlobal takes the defaults for the targets that follow.
func (b *builder) setGlobal(r *report, raw rawGlobal) {
	b.effective.Global = rawGlobal{
		Timeout:       timeout(r, "global", raw.Timeout, defaultTimeout),
		TokenLifetime: tokenLifetime(r, "global", raw.TokenLifetime, defaultTokenLifetime),
	}
}

// targets adds a list of targets that stands at path. Relative paths in it are
// relative to dir.
func (b *builder) targets(r *report, path, dir string, raws []rawTarget) {
	for i := range raws {
		if path := path + index(i); !r.broken[path] {
			b.target(r, path, dir, &raws[i])
		}
	}
}

// target adds one target, and fills the defaults into raw.
func (b *builder) target(r *report, path, dir string, raw *rawTarget) {
	first := len(b.config.checks)
	b.name(r, join(path, "name"), raw.Name)
	raw.Timeout = timeout(r, path, raw.Timeout, b.effective.Global.Timeout)
	raw.TokenLifetime = tokenLifetime(r, path, raw.TokenLifetime, b.effective.Global.TokenLifetime)
	if raw.MaxBodySize == 0 {
		raw.MaxBodySize = defaultBodySize
	}

	t := &Target{
		Name:               raw.Name,
		Timeout:            time.Duration(raw.Timeout),
		TokenLifetime:      time.Duration(raw.TokenLifetime),
		KeepAlive:          raw.KeepAlive,
		EnableHTTP2:        raw.EnableHTTP2,
		MaxBodySize:        int64(raw.MaxBodySize),
		ServiceMessageText: raw.ServiceMessageText,
	}
	if at := join(path, "url"); raw.URL != "" {
		u, problem, hint := parseBaseURL(raw.URL)
		if problem != "" {
			r.add(at, problem, hint)
		} else {
			t.URL, raw.URL = u, u.String()
		}
	} else if !r.has(at) {
		r.add(at, "is missing", "the base URL of the HMP, such as https://hmp.example")
	}
	b.transport(r, path, dir, raw, t)
	b.sessions(r, path, dir, raw.Sessions, t)
	for i := range b.config.checks[first:] {
		b.config.checks[first+i].at.Target = t.Name
	}
	b.warn(r, path, raw, t)

	b.config.Targets = append(b.config.Targets, t)
	b.effective.Targets = append(b.effective.Targets, *raw)
}

// name checks the name of a target, which is unique in all files.
func (b *builder) name(r *report, path, name string) {
	if !checkName(r, path, name) {
		return
	}
	if first, ok := b.names[name]; ok {
		r.add(path, "target "+name+" is already at "+first, "give each target a name of its own")
		return
	}
	b.names[name] = r.file + ":" + strconv.Itoa(r.line(path))
}

// finish returns the Config, or all problems if there are any.
func (b *builder) finish() (*Config, error) {
	if err := b.errs.orNil(); err != nil {
		return nil, err
	}
	// Written when it is first asked for, as that takes as long as all else that is done here.
	b.config.yaml = sync.OnceValues(func() ([]byte, error) { return encode(b.effective) })
	return b.config, nil
}

// encode writes a configuration as YAML, with every secret masked.
func encode(f rawFile) ([]byte, error) {
	var buf bytes.Buffer
	encoder := yaml.NewEncoder(&buf)
	encoder.SetIndent(2)
	for i := range f.Targets {
		maskProxy(&f.Targets[i])
	}
	err := encoder.Encode(f)
	return buf.Bytes(), err
}

// checkName reports whether the name of a target or session is fit for a label and a URL.
func checkName(r *report, path, name string) bool {
	switch {
	case name == "" && r.has(path):
		return false // reported by the decoder
	case name == "":
		r.add(path, "is missing", "it becomes a label of every metric")
		return false
	case len(name) > maxName:
		r.add(path, fmt.Sprintf("%.20q… is too long", name), fmt.Sprintf("at most %d characters", maxName))
		return false
	case strings.ContainsFunc(name, func(c rune) bool { return !nameRune(c) }):
		r.add(path, fmt.Sprintf("%.40q is not a valid name", name), "use letters, digits and _ . -")
		return false
	}
	return true
}

func nameRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
}

// timeout is the one that was given, or else the inherited one.
func timeout(r *report, path string, given, inherited model.Duration) model.Duration {
	if given > maxTimeout {
		r.add(join(path, "timeout"), "is too long", "at most "+maxTimeout.String())
	}
	if given == 0 {
		return inherited
	}
	return given
}

// tokenLifetime is the one that was given, or else the inherited one.
func tokenLifetime(r *report, path string, given, inherited model.Duration) model.Duration {
	switch {
	case given == 0:
		return inherited
	case given < minTokenLifetime || given > maxTokenLifetime:
		r.add(join(path, "token_lifetime"), "is out of bounds", fmt.Sprintf("from %s to %s; HMP says 30m", minTokenLifetime, maxTokenLifetime))
	}
	return given
}

// index is the path of a list item within the list.
func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

// onLine is how a hint speaks of another place in the same file.
func onLine(line int) string { return "on line " + strconv.Itoa(line) }
