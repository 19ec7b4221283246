package config

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/alecthomas/units"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"hmp_exporter/internal/secret"
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
	ctx    context.Context // bounds the reading of files
	errs   Errors
	config *Config

	effective rawFile           // all targets with their defaults, for Config.YAML
	names     map[string]string // where each target's name was given first
	kept      map[string]bool   // the configuration files that have secrets in them
}

func newBuilder(ctx context.Context, source string) *builder {
	return &builder{ctx: ctx, config: &Config{source: source}, names: make(map[string]string), kept: make(map[string]bool)}
}

// A place is where a target, or a session of it, stands in a file.
type place struct {
	*report
	path            string
	dir             string // relative paths are relative to it
	target, session string // names
}

// at is the path of a field.
func (p place) at(field string) string { return join(p.path, field) }

// error is one about a field that says where it stands, and not yet what is wrong.
func (p place) error(field string) Error {
	return Error{File: p.file, Line: p.line(p.at(field)), Field: p.field(p.at(field)), Target: p.target, Session: p.session}
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
	p := place{report: r, path: path, dir: dir, target: raw.Name}
	b.targetName(p, raw.Name)
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
	if raw.URL != "" {
		u, problem, hint := parseBaseURL(raw.URL)
		if problem != "" {
			r.add(p.at("url"), problem, hint)
		} else {
			t.URL, raw.URL = u, u.String()
		}
	} else if !r.has(p.at("url")) {
		r.add(p.at("url"), "is missing", "the base URL of the HMP, such as https://hmp.example")
	}
	ca := b.transport(p, raw, t)
	t.Fingerprint = fingerprint(*raw, ca)
	b.sessions(p, raw.Sessions, t)
	b.warn(p, raw, t)

	b.config.Targets = append(b.config.Targets, t)
	b.effective.Targets = append(b.effective.Targets, *raw)
}

// targetName checks the name of a target, which is unique in all files.
func (b *builder) targetName(p place, name string) {
	at := p.at("name")
	if !checkName(p.report, at, name) {
		return
	}
	if first, ok := b.names[name]; ok {
		p.add(at, "target "+name+" is already at "+first, "give each target a name of its own")
		return
	}
	b.names[name] = p.file + ":" + strconv.Itoa(p.line(at))
}

// sessions adds the sessions of one target.
func (b *builder) sessions(p place, raws []rawSession, t *Target) {
	path := p.at("sessions")
	if len(raws) == 0 && p.clean(path) {
		p.add(path, "no sessions", "give the target at least one, with a name, an api_key_file and an api_secret_file")
	}
	names := make(map[string]int)
	for i := range raws {
		raw := &raws[i]
		p.path, p.session = path+index(i), raw.Name
		if p.broken[p.path] {
			continue
		}
		if at := p.at("name"); checkName(p.report, at, raw.Name) {
			if first, ok := names[raw.Name]; ok {
				p.add(at, "session "+raw.Name+" is already "+onLine(first), "give each session of a target a name of its own")
			} else {
				names[raw.Name] = p.line(at)
			}
		}
		s := b.session(p, raw)
		s.Fingerprint = fingerprint(*raw, string(t.Fingerprint[:]))
		t.Sessions = append(t.Sessions, s)
	}
}

// session makes one session from a token or a key and secret, exactly one of the two.
func (b *builder) session(p place, raw *rawSession) *Session {
	token := b.source(p, "token", raw.Token, &raw.TokenFile)
	key := b.source(p, "api_key", raw.APIKey, &raw.APIKeyFile)
	secret := b.source(p, "api_secret", raw.APISecret, &raw.APISecretFile)

	switch {
	case !token.IsZero() && !(key.IsZero() && secret.IsZero()):
		p.add(p.given("token"), "a token and an API key or secret", "keep one: the token, or the key and secret")
	case token.IsZero() && key.IsZero() && secret.IsZero():
		if p.clean(p.path) { // else a field that is misspelt can be the one
			p.add(p.path, "no credential", "set "+p.name("token_file")+", or "+p.name("api_key_file")+" and "+p.name("api_secret_file"))
		}
	case token.IsZero() && secret.IsZero():
		p.add(p.given("api_key"), "an API key without its secret", "set "+p.name("api_secret_file")+" too")
	case token.IsZero() && key.IsZero():
		p.add(p.given("api_secret"), "an API secret without its key", "set "+p.name("api_key_file")+" too")
	}
	return &Session{Name: raw.Name, Token: token, APIKey: key, APISecret: secret}
}

// given is the path of the field that a secret was given in, itself or its file.
func (p place) given(field string) string {
	if p.has(p.at(field)) {
		return p.at(field)
	}
	return p.at(field + "_file")
}

// source makes the source of one secret, that was given inline or as a file, and
// makes the path of that file relative to p.dir. It is zero if neither was given.
func (b *builder) source(p place, field string, inline secret.Value, file *string) SecretSource {
	at, fileField := p.at(field), field+"_file"
	s := SecretSource{name: p.name(field), value: inline, variable: p.variables != nil, token: field == "token"}
	switch {
	case p.has(at) && p.has(p.at(fileField)):
		p.add(p.at(fileField), "both "+p.name(field)+" and "+p.name(fileField), "keep one of the two")
	case p.has(at):
		if inline.IsZero() {
			break // reported by the decoder
		}
		if err := checkSecret(inline.Reveal(), s.token); err != nil {
			p.add(at, err.Error(), s.hint(err))
		}
	case p.has(p.at(fileField)):
		*file = promconfig.JoinDir(p.dir, *file)
		s.name, s.file = p.name(fileField), *file
		b.config.secretFiles = append(b.config.secretFiles, secretFile{
			at:   p.error(fileField),
			file: s.file,
			read: func(ctx context.Context) (bool, error) {
				value, err := s.read(ctx)
				return err == nil && isShort(value), err
			},
			hint: s.hint,
		})
	default:
		return SecretSource{}
	}
	return s
}

// finish returns the Config, or all problems if there are any.
func (b *builder) finish() (*Config, error) {
	if err := b.errs.orNil(); err != nil {
		return nil, err
	}
	if len(b.config.Targets) == 0 {
		b.config.unwatched = append(b.config.unwatched, &Error{File: b.config.source, Problem: "no target: nothing is watched", Hint: "list targets here or in target_files"})
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

// endpointPath begins the path of the HMP API; what is configured is the URL in front of it.
const endpointPath = "/apis/authentication"

// parseBaseURL reads the base URL of a target. It returns nil with a problem and
// a hint, neither of which quotes the URL: there may be a password in it.
//
// The syntax of the host is left to the resolver, because there are names in use
// that no standard allows.
func parseBaseURL(text string) (u *url.URL, problem, hint string) {
	scheme, rest, ok := strings.Cut(text, "://")
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	switch {
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return nil, "has white space or control characters", "remove them"
	case variableName.MatchString(text):
		return nil, ErrVariable.Error(), "write the URL, or set HMP_URL and no configuration file"
	case !ok:
		return nil, "has no scheme", "did you forget https://?"
	case !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https"):
		return nil, "the scheme is neither https nor http", "write https://host"
	case strings.Contains(authority, "@"):
		return nil, "has a user or password in it", "remove them; what HMP wants is the token, or the API key and secret, of a session"
	case strings.Count(authority, ":") > 1 && !strings.HasPrefix(authority, "["):
		return nil, "more than one colon in the host", "put brackets around an IPv6 address: https://[2001:db8::1]"
	}

	// The path is trimmed in its escaped form, which %2F in it keeps apart from the other.
	u, err := url.Parse(scheme + "://" + strings.TrimRight(rest, "/"))
	switch {
	case err != nil:
		return nil, "is not a URL", "write https://host, with a port and a path prefix if need be"
	case u.Hostname() == "":
		return nil, "has no host", "write https://host"
	case !validPort(u):
		return nil, "has a port that is not one", "a port is a number from 1 to 65535"
	case strings.ContainsAny(text, "?#"):
		return nil, "has a query or a fragment", "leave out everything from the ? or # on"
	case strings.Contains(u.Path, endpointPath):
		return nil, "has the path of the API in it", "leave out /apis/authentication/login/key; the exporter adds it"
	}
	return u, "", ""
}

// validPort reports whether the port is one, or left out.
func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}
