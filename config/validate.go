package config

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/units"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

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
)

// targets adds a list of targets. Relative paths are relative to the directory of the file.
func (l *loader) targets(p position, field string, raws []rawTarget) {
	for i := range raws {
		if p := p.item(field, i); p.has() {
			l.target(p, &raws[i])
		}
	}
}

func (l *loader) target(p position, raw *rawTarget) {
	p.target = raw.Name
	p.checkName(raw.Name, l.names)
	raw.rawGlobal = p.inherit(raw.rawGlobal, l.global)
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
	l.tls(p.child("tls_config"), &raw.TLSConfig, t)
	p.proxy(raw, t.URL)
	p.address(raw)
	p.labels(raw.Labels)
	proxy := raw.ProxyConfig // a copy, because it caches a function, and Same cannot compare functions
	t.Proxy, t.ProxyConnectHeader = proxy.Proxy(), raw.GetProxyConnectHeader()
	t.headers = l.headers(p, raw.HTTPHeaders)
	l.sessions(p, raw.Sessions, t)
	l.config.Targets = append(l.config.Targets, t)
	if l.ForCheck {
		l.warn(p, raw, t)
	}
}

func (l *loader) sessions(p position, raws []rawSession, t *Target) {
	if len(raws) == 0 && p.valid("sessions") {
		p.add("sessions", "no sessions", "give the target at least one, with a name, an api_key_file and an api_secret_file")
	}
	names := make(map[string]string)
	for i := range raws {
		raw, p := &raws[i], p.item("sessions", i)
		if p.session = raw.Name; p.has() {
			p.checkName(raw.Name, names)
			t.Sessions = append(t.Sessions, l.session(p, raw, t))
		}
	}
}

func (l *loader) session(p position, raw *rawSession, t *Target) *Session {
	token := l.secretSource(p, "token", raw.Token, &raw.TokenFile, kindToken)
	key := l.secretSource(p, "api_key", raw.APIKey, &raw.APIKeyFile, kindKey)
	apiSecret := l.secretSource(p, "api_secret", raw.APISecret, &raw.APISecretFile, kindKey)
	isToken, isPair := !token.IsZero(), !key.IsZero() && !apiSecret.IsZero()
	isMixed := isToken && !(key.IsZero() && apiSecret.IsZero())
	if (isToken == isPair || isMixed) && p.valid("") { // otherwise the field with a problem may be the credential
		p.add("", "needs either a token, or an API key and its secret", "set "+p.name("api_key_file")+" and "+p.name("api_secret_file")+", or only "+p.name("token_file"))
	}
	return &Session{Name: raw.Name, Token: token, APIKey: key, APISecret: apiSecret, target: t, raw: raw}
}

// secretSource returns the source of a secret, which is inline or in a file. It makes the path of
// the file relative to the working directory. It returns zero if neither was given.
func (l *loader) secretSource(p position, field string, inline secret.Value, file *string, kind secretKind) SecretSource {
	fileField := field + "_file"
	s := SecretSource{name: p.name(field), value: inline, kind: kind}
	switch hasInline := !inline.IsZero(); {
	case *file != "":
		if hasInline {
			p.add(fileField, "both "+p.name(field)+" and "+p.name(fileField), "keep one of the two")
		}
		p.checkPath(fileField, *file)
		*file = promconfig.JoinDir(p.dir(), *file)
		s.name, s.file, s.value = p.name(fileField), *file, secret.Value{}
		l.addSecretFile(p.child(fileField), s)
	case hasInline:
		p.child(field).check(s)
	default:
		return SecretSource{}
	}
	return s
}

// check reports a secret in the configuration that is not valid.
func (p position) check(s SecretSource) {
	if err := checkSecret(s.value.Reveal(), s.kind); err != nil && p.valid("") {
		p.add("", err.Error(), hintFor(err))
	}
}

// secretInPath matches what is probably a secret, or part of one, and not the path of a file.
var secretInPath = regexp.MustCompile(`^eyJ|^[Bb]earer |-{5}BEGIN|[[:cntrl:]]`)

// checkPath reports a path that is probably a secret in the wrong field. Errors, pages and logs
// show paths. It returns false if it reports a problem.
func (p position) checkPath(field, path string) bool {
	isTooLong := len(filepath.Base(path)) > 255 || len(path) > 1000
	isOneWord := len(path) >= 32 && !strings.ContainsAny(path, `./\ `) && strings.ContainsAny(path, "0123456789")
	if isTooLong || isOneWord || secretInPath.MatchString(path) {
		p.add(field, "looks like a secret and is not shown", "write the secret into a file and name the file; if this is the name of a file, begin it with ./")
		return false
	}
	return true
}

// validName bounds a name, because it is a label value of some sixty samples.
var validName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)

// checkName checks the name of a target or session. seen has the names so far.
func (p position) checkName(name string, seen map[string]string) {
	first, isSeen := seen[name]
	switch {
	case !p.valid("name"): // reported by the decoder
	case name == "":
		p.add("name", "is missing", "it becomes a label of every metric")
	case !validName.MatchString(name):
		p.add("name", "is not a valid name", "use at most 64 letters, digits and _ . -")
	case isSeen:
		p.add("name", "the name "+name+" is already at "+first, "choose another")
	default:
		seen[name] = p.file + ":" + strconv.Itoa(p.child("name").line())
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
	scheme, rest, _ := strings.Cut(text, "://")
	authority, _, _ := strings.Cut(strings.NewReplacer("?", "/", "#", "/").Replace(rest), "/")
	// Trim the escaped path, so that an escaped slash (%2F) at its end stays.
	u, err := url.Parse(scheme + "://" + strings.TrimRight(rest, "/"))
	isScheme := strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
	problem, hint := "", ""
	switch {
	case !p.valid("url"): // reported by the decoder
		return nil
	case text == "":
		problem, hint = "is missing", "the base URL of the HMP, such as https://hmp.example"
	case hasVariable.MatchString(text):
		problem, hint = "has the name of a variable in it, and variables are not expanded", "write the URL, or set HMP_URL and no configuration file"
	case !isScheme:
		problem, hint = "begins with neither https:// nor http://", "write it like https://hmp.example"
	case strings.Contains(authority, "@"):
		problem, hint = "has a user or password in it", "remove them; give the token, or the API key and secret, to a session"
	case strings.ContainsAny(text, "?#"):
		problem, hint = "has a query or a fragment", "leave out everything from the ? or # on"
	case !validAuthority.MatchString(authority), err != nil, !isPort(cmp.Or(u.Port(), "443")):
		problem, hint = "is not a URL", "write it like https://hmp.example, https://hmp.example:8443/prefix or https://[2001:db8::1]"
	case strings.Contains(u.Path, "/apis/authentication"):
		problem, hint = "has the path of the API in it", "leave out /apis/authentication/login/key; the exporter adds it"
	default:
		return u
	}
	p.add("url", problem, hint)
	return nil
}

// hasVariable matches a shell variable in a URL.
var hasVariable = regexp.MustCompile(`^\$\w|\$[{(]\w|://[^/]*\$`)

// validAuthority matches a host, which can be an IPv6 address in brackets, and a port.
var validAuthority = regexp.MustCompile(`^([^:\s\[\]]+|\[.+\])(:\d+)?$`)

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

func (p position) labels(labels map[string]string) {
	for name := range labels {
		switch p := p.child("labels").child(name); {
		case !model.LegacyValidation.IsValidLabelName(name):
			p.add("", "is not a valid label name", "use letters, digits and _, and no digit in front")
		case strings.HasPrefix(name, "__") || slices.Contains(reservedLabels, name):
			p.add("", "this label is reserved", "choose another name")
		}
	}
}
