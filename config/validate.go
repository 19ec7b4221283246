package config

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
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

const (
	defaultTimeout       = model.Duration(10 * time.Second)
	defaultTokenLifetime = model.Duration(30 * time.Minute) // as HMP documents it
	defaultBodySize      = 64 * units.MiB

	minTimeout       = model.Duration(time.Millisecond)
	maxTimeout       = model.Duration(time.Hour)
	minTokenLifetime = model.Duration(time.Minute) // each renewal leaves a session on HMP
	maxTokenLifetime = model.Duration(24 * time.Hour)

	minBodySize = units.KiB
	maxBodySize = units.GiB

	maxName = 64 // bytes; names are label values of some sixty samples each
)

// builder makes a Config from the raw structs of one or more files.
type builder struct {
	ctx    context.Context // bounds the reading of files
	errs   Errors
	config *Config
	global rawGlobal         // with its defaults
	names  map[string]string // the first position of each target's name

	syntaxOnly bool // no file of a secret or certificate is opened
}

// newBuilder returns a builder, and the position of the main file.
func newBuilder(ctx context.Context, source string) (*builder, position) {
	global := rawGlobal{Timeout: defaultTimeout, TokenLifetime: defaultTokenLifetime}
	b := &builder{ctx: ctx, config: &Config{source: source}, global: global, names: make(map[string]string)}
	if in, ok := ctx.Value(inputsKey{}).(*inputs); ok {
		b.syntaxOnly = in.syntaxOnly
	}
	main := b.file(source)
	return b, main
}

func (b *builder) file(name string) position {
	r := &report{file: name, lines: make(map[string]int), errs: &b.errs}
	return position{report: r, dir: filepath.Dir(name)}
}

// targets adds a list of targets of one file. Relative paths in it are relative to p.dir.
func (b *builder) targets(p position, raws []rawTarget) {
	for i := range raws {
		if p.has(indexPath(i)) {
			b.target(p.child(indexPath(i)), &raws[i])
		}
	}
	if p.plaintextSecret {
		b.config.secretFiles = append(b.config.secretFiles, secretFile{Error{File: p.file}, SecretSource{file: p.file}})
	}
}

func (b *builder) target(p position, raw *rawTarget) {
	p.target = raw.Name
	p.checkName(raw.Name, b.names)
	raw.rawGlobal = p.inherit(raw.rawGlobal, b.global)
	raw.MaxBodySize = cmp.Or(raw.MaxBodySize, defaultBodySize)
	t := &Target{
		Name:               raw.Name,
		URL:                p.baseURL(raw.URL),
		Address:            raw.Address,
		Timeout:            time.Duration(raw.Timeout),
		TokenLifetime:      time.Duration(raw.TokenLifetime),
		MaxConcurrent:      raw.MaxConcurrent,
		Labels:             raw.Labels,
		KeepAlive:          raw.KeepAlive,
		EnableHTTP2:        raw.EnableHTTP2,
		MaxBodySize:        int64(raw.MaxBodySize),
		ServiceMessageText: raw.ServiceMessageText,
		raw:                func() rawTarget { return *raw },
	}
	if t.URL != nil {
		raw.URL = t.URL.String()
	}
	b.tls(p.child("tls_config"), &raw.TLSConfig, t)
	p.proxy(raw, t.URL)
	p.address(raw)
	for _, name := range slices.Sorted(maps.Keys(raw.Labels)) {
		if strings.HasPrefix(name, "__") || slices.Contains(reservedLabels, name) {
			p.add(join("labels", name), "this label has a meaning already", "choose another name")
		}
	}
	proxy := raw.ProxyConfig // a copy, because it caches a function, and Same cannot compare functions
	t.Proxy, t.ProxyConnectHeader = proxy.Proxy(), raw.GetProxyConnectHeader()
	t.headers = b.headers(p, raw.HTTPHeaders)
	b.sessions(p, raw.Sessions, t)
	b.config.Targets = append(b.config.Targets, t)
	b.warn(p, raw, t)
}

func (b *builder) sessions(p position, raws []rawSession, t *Target) {
	if len(raws) == 0 && p.valid("sessions") {
		p.add("sessions", "no sessions", "give the target at least one, with a name, an api_key_file and an api_secret_file")
	}
	names := make(map[string]string)
	for i := range raws {
		raw, p := &raws[i], p.child("sessions"+indexPath(i))
		if p.session = raw.Name; p.has("") {
			p.checkName(raw.Name, names)
			t.Sessions = append(t.Sessions, b.session(p, raw, t))
		}
	}
}

// session makes a session. It must have either a token, or a key and secret.
func (b *builder) session(p position, raw *rawSession, t *Target) *Session {
	token := b.source(p, "token", raw.Token, &raw.TokenFile, isToken)
	key := b.source(p, "api_key", raw.APIKey, &raw.APIKeyFile, isKey)
	apiSecret := b.source(p, "api_secret", raw.APISecret, &raw.APISecretFile, isKey)
	switch {
	case !token.IsZero() && !(key.IsZero() && apiSecret.IsZero()):
		p.add(token.name, "a token and an API key or secret", "keep one: the token, or the key and secret")
	case !token.IsZero(), !key.IsZero() && !apiSecret.IsZero():
	case !key.IsZero():
		p.add(key.name, "an API key without its secret", "set "+p.name("api_secret_file")+" too")
	case !apiSecret.IsZero():
		p.add(apiSecret.name, "an API secret without its key", "set "+p.name("api_key_file")+" too")
	case p.valid(""): // otherwise a misspelt field may be the credential
		p.add("", "no credential", "set "+p.name("api_key_file")+" and "+p.name("api_secret_file")+", or "+p.name("token_file"))
	}
	return &Session{Name: raw.Name, Token: token, APIKey: key, APISecret: apiSecret, target: t, raw: raw}
}

// source returns the source of a secret, which is inline or in a file. It makes the path of
// the file relative to p.dir. It returns zero if neither was given.
func (b *builder) source(p position, field string, inline secret.Value, file *string, kind secretKind) SecretSource {
	s := SecretSource{name: p.name(field), value: inline, variable: p.variables != nil, kind: kind}
	switch fileField := field + "_file"; {
	case p.has(field) && p.has(fileField):
		p.add(fileField, "both "+p.name(field)+" and "+p.name(fileField), "keep one of the two")
	case p.has(field):
		p.check(field, s)
	case p.has(fileField):
		*file = promconfig.JoinDir(p.dir, *file)
		s.name, s.file = p.name(fileField), *file
		b.addSecretFile(p, s)
	default:
		return SecretSource{}
	}
	return s
}

// check reports a secret in the configuration that is not valid.
func (p position) check(field string, s SecretSource) {
	value := s.value.Reveal() // the decoder has reported an empty one
	if err := checkSecret(value, s.kind); err != nil && value != "" {
		p.add(field, err.Error(), hintFor(err))
	}
}

// finish returns the Config, or all problems if there are any.
func (b *builder) finish() (*Config, error) {
	if err := b.errs.orNil(); err != nil {
		return nil, err
	}
	if b.syntaxOnly {
		b.config.secretFiles = nil
	}
	if len(b.config.Targets) == 0 {
		b.config.unmatchedPatterns = append(b.config.unmatchedPatterns, Error{File: b.config.source}.with("no target: nothing is watched", "list targets here or in target_files"))
	}
	// Encoded on first use, because it takes as long as the rest of a load.
	b.config.yaml = sync.OnceValues(b.encode)
	return b.config, nil
}

// encode writes a configuration as YAML, with every secret masked.
func (b *builder) encode() ([]byte, error) {
	f := rawFile{Global: b.global}
	for _, t := range b.config.Targets {
		raw := t.raw()
		if u := raw.ProxyURL.URL; u != nil && u.User != nil {
			masked := *u
			masked.User = url.User(secret.Masked)
			raw.ProxyURL.URL = &masked
		}
		f.Targets = append(f.Targets, raw)
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	err := encoder.Encode(f)
	return text.Bytes(), err
}

var validName = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)

// checkName checks the name of a target or session. seen has the names so far.
func (p position) checkName(name string, seen map[string]string) {
	first, isSeen := seen[name]
	switch {
	case name == "" && p.has("name"): // reported by the decoder
	case name == "":
		p.add("name", "is missing", "it becomes a label of every metric")
	case len(name) > maxName:
		p.add("name", fmt.Sprintf("%.20q… is too long", name), fmt.Sprintf("at most %d characters", maxName))
	case !validName.MatchString(name):
		p.add("name", fmt.Sprintf("%.40q is not a valid name", name), "use letters, digits and _ . -")
	case isSeen:
		p.add("name", "the name "+name+" is already at "+first, "choose another")
	default:
		seen[name] = p.file + ":" + strconv.Itoa(p.line("name"))
	}
}

// inherit returns the given values, and the defaults for the others.
func (p position) inherit(given, defaults rawGlobal) rawGlobal {
	return rawGlobal{
		Timeout:       p.duration("timeout", given.Timeout, defaults.Timeout, minTimeout, maxTimeout),
		TokenLifetime: p.duration("token_lifetime", given.TokenLifetime, defaults.TokenLifetime, minTokenLifetime, maxTokenLifetime),
	}
}

func (p position) duration(field string, given, inherited, least, most model.Duration) model.Duration {
	if given != 0 && (given < least || given > most) {
		p.add(field, "is out of bounds", fmt.Sprintf("from %s to %s", least, most))
	}
	return cmp.Or(given, inherited)
}

// baseURL parses the base URL of a target. On a problem it returns nil and reports the
// problem without the URL, which may have a password. It does not check the syntax of the
// host, because some networks use names that no standard allows.
func (p position) baseURL(text string) *url.URL {
	if text == "" && p.has("url") {
		return nil // reported by the decoder
	}
	scheme, rest, hasScheme := strings.Cut(text, "://")
	authority, _, _ := strings.Cut(strings.NewReplacer("?", "/", "#", "/").Replace(rest), "/")
	_, port, errSplit := net.SplitHostPort(authority)
	// Trim the escaped path, so that an escaped slash (%2F) at its end stays.
	u, err := url.Parse(scheme + "://" + strings.TrimRight(rest, "/"))
	if err != nil {
		u = new(url.URL)
	}
	isSpace := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	for _, check := range []struct {
		fails         bool
		problem, hint string
	}{
		{text == "", "is missing", "the base URL of the HMP, such as https://hmp.example"},
		{strings.ContainsFunc(text, isSpace), "has white space or control characters", "remove them"},
		{hasVariable.MatchString(text), "has the name of a variable in it, and variables are not expanded", "write the URL, or set HMP_URL and no configuration file"},
		{!hasScheme, "has no scheme", "did you forget https://?"},
		{!strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https"), "the scheme is neither https nor http", "write https://host"},
		{strings.Contains(authority, "@"), "has a user or password in it", "remove them; give the token, or the API key and secret, to a session"},
		{strings.Count(authority, ":") > 1 && authority[0] != '[', "more than one colon in the host", "put brackets around an IPv6 address: https://[2001:db8::1]"},
		{errSplit == nil && !isPort(port), "the port is not a number from 1 to 65535", "write it like https://host:8443, or leave it out with its colon"},
		{err != nil, "is not a URL", "write https://host, with a port and a path prefix if need be"},
		{u.Hostname() == "", "has no host", "write https://host"},
		{strings.ContainsAny(text, "?#"), "has a query or a fragment", "leave out everything from the ? or # on"},
		{strings.Contains(u.Path, "/apis/authentication"), "has the path of the API in it", "leave out /apis/authentication/login/key; the exporter adds it"},
	} {
		if check.fails {
			p.add("url", check.problem, check.hint)
			return nil
		}
	}
	return u
}

// hasVariable matches a shell variable in a URL.
var hasVariable = regexp.MustCompile(`^\$\w|\$[{(]\w|://[^/]*\$`)

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

// address checks the address to connect to.
func (p position) address(raw *rawTarget) {
	host, port, err := net.SplitHostPort(raw.Address)
	switch {
	case raw.Address == "":
	case err != nil || !isPort(port) || host == "" || strings.ContainsAny(host, "/@ "):
		p.add("address", "is not a host and a port", "write it like 10.1.2.3:443 or [2001:db8::1]:443, without https://")
	case raw.ProxyURL.URL != nil || raw.ProxyFromEnvironment:
		p.add("address", "does not work with a proxy, which connects to the host of the url", "take one away")
	}
}

// reservedLabels are the labels of Prometheus, of the exporter's metrics and of its alerts.
var reservedLabels = []string{
	"alertname", "build", "code", "instance", "job", "le", "message", "name", "phase", "quantile", "result", "session", "severity", "target", "version",
}
