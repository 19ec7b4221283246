package config

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
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

// addTargets adds a list of targets. Relative paths are relative to the directory of the file.
func (l *loader) addTargets(list position, raws []rawTarget) {
	for i := range raws {
		if p := list.item(i); p.isGiven() {
			l.addTarget(p, &raws[i])
		}
	}
}

func (l *loader) addTarget(p position, raw *rawTarget) {
	p.target = raw.Name
	p.child("name").checkName(raw.Name, l.names)
	p.applyDefaults(&raw.rawGlobal, l.global)
	raw.MaxBodySize = cmp.Or(raw.MaxBodySize, defaultBodySize)
	t := &Target{
		Name:               raw.Name,
		URL:                p.child("url").parseURL(raw.URL),
		Address:            raw.Address,
		Timeout:            time.Duration(raw.Timeout),
		TokenLifetime:      time.Duration(raw.TokenLifetime),
		MaxConcurrent:      raw.MaxConcurrent,
		Labels:             raw.Labels,
		KeepAlive:          raw.KeepAlive,
		EnableHTTP2:        raw.EnableHTTP2,
		MaxBodySize:        int64(raw.MaxBodySize),
		ServiceMessageText: raw.ServiceMessageText,
		raw:                raw,
	}
	if t.URL != nil {
		raw.URL = t.URL.String()
	}
	l.setTLS(p.child("tls_config"), &raw.TLSConfig, t)
	p.checkAddress(raw)
	p.child("labels").checkLabels(raw.Labels)
	p.checkProxy(raw, t.URL)
	proxy := raw.ProxyConfig // a copy, because it caches a function, and Same cannot compare functions
	t.Proxy, t.ProxyConnectHeader = proxy.Proxy(), raw.GetProxyConnectHeader()
	t.headers = p.newHeaders(raw.HTTPHeaders)
	t.Sessions = p.newSessions(raw.Sessions, t)
	l.config.Targets, l.positions = append(l.config.Targets, t), append(l.positions, p)
}

func (p position) newSessions(raws []rawSession, t *Target) (all []*Session) {
	list, names := p.child("sessions"), make(map[string]string)
	if len(raws) == 0 && !list.isReported() {
		list.report("no sessions", "give the target at least one, with a name, an api_key_file and an api_secret_file")
	}
	for i := range raws {
		raw, p := &raws[i], list.item(i)
		if p.session = raw.Name; p.isGiven() {
			p.child("name").checkName(raw.Name, names)
			all = append(all, p.newSession(raw, t))
		}
	}
	return all
}

func (p position) newSession(raw *rawSession, t *Target) *Session {
	s := &Session{
		Name:      raw.Name,
		Token:     p.newSecretSource("token", raw.Token, &raw.TokenFile, kindToken),
		APIKey:    p.newSecretSource("api_key", raw.APIKey, &raw.APIKeyFile, kindKey),
		APISecret: p.newSecretSource("api_secret", raw.APISecret, &raw.APISecretFile, kindKey),
		target:    t,
		raw:       raw,
	}
	hasToken, hasKey, hasSecret := !s.Token.IsZero(), !s.APIKey.IsZero(), !s.APISecret.IsZero()
	if (hasKey != hasSecret || hasToken == hasKey) && !p.isReported() { // otherwise the field with a problem may be the credential
		p.report("needs either a token, or an API key and its secret", "set "+p.name("api_key_file")+" and "+p.name("api_secret_file")+", or only "+p.name("token_file"))
	}
	return s
}

// validName bounds a name, because it is a label value of some sixty samples.
var validName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)

// checkName checks the name of a target or session. seen has the positions of the names so far.
func (p position) checkName(name string, seen map[string]string) {
	first, isSeen := seen[name]
	switch {
	case p.isReported():
	case name == "":
		p.report("is missing", "it becomes a label of every metric")
	case !validName.MatchString(name):
		p.report("is not a valid name", "use at most 64 letters, digits and _ . -")
	case isSeen:
		p.report("the name "+name+" is already at "+first, "choose another")
	default:
		seen[name] = p.file + ":" + strconv.Itoa(p.line())
	}
}

// applyDefaults checks the given values and sets the others to the defaults.
func (p position) applyDefaults(given *rawGlobal, defaults rawGlobal) {
	p.child("timeout").checkDuration(given.Timeout, minTimeout, maxTimeout)
	p.child("token_lifetime").checkDuration(given.TokenLifetime, minTokenLifetime, maxTokenLifetime)
	given.Timeout = cmp.Or(given.Timeout, defaults.Timeout)
	given.TokenLifetime = cmp.Or(given.TokenLifetime, defaults.TokenLifetime)
}

func (p position) checkDuration(given, least, most model.Duration) {
	if given != 0 && (given < least || given > most) {
		p.report("is out of bounds", fmt.Sprintf("from %s to %s", least, most))
	}
}

// parseURL parses the base URL of a target. On a problem it returns nil and reports the
// problem without the URL, which may have a password. It does not check the syntax of the
// host, because some networks use names that no standard allows.
func (p position) parseURL(text string) *url.URL {
	scheme, rest, _ := strings.Cut(text, "://")
	authority, _, _ := strings.Cut(strings.NewReplacer("?", "/", "#", "/").Replace(rest), "/")
	// Trim the escaped path, so that an escaped slash (%2F) at its end stays.
	u, err := url.Parse(scheme + "://" + strings.TrimRight(rest, "/"))
	isScheme := strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
	problem, hint := "", ""
	switch {
	case p.isReported():
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
	p.report(problem, hint)
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

// checkAddress checks the address to connect to.
func (p position) checkAddress(raw *rawTarget) {
	p = p.child("address")
	host, port, err := net.SplitHostPort(raw.Address)
	switch {
	case raw.Address == "":
	case err != nil || !isPort(port) || host == "" || strings.ContainsAny(host, "/@ "):
		p.report("is not a host and a port", "write it like 10.1.2.3:443 or [2001:db8::1]:443, without https://")
	case raw.ProxyURL.URL != nil || raw.ProxyFromEnvironment:
		p.report("does not work with a proxy, which connects to the host of the url", "take one away")
	}
}

// reservedLabels are the labels of Prometheus, of the exporter's metrics and of its alerts.
var reservedLabels = []string{
	"alertname", "build", "code", "instance", "job", "le", "message", "name", "phase", "quantile", "result", "session", "severity", "target", "version",
}

func (p position) checkLabels(labels map[string]string) {
	for name := range labels {
		switch p := p.child(name); {
		case !model.LegacyValidation.IsValidLabelName(name):
			p.report("is not a valid label name", "use letters, digits and _, and no digit in front")
		case strings.HasPrefix(name, "__") || slices.Contains(reservedLabels, name):
			p.report("this label is reserved", "choose another name")
		}
	}
}
