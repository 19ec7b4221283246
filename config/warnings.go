package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/common/model"
)

const (
	// documentedLifetime is how long HMP keeps a token: "the token expires after 30
	// minutes", say three of the vendor's pages.
	documentedLifetime = 30 * time.Minute
	// shortLifetime is where logins become many: each leaves a session behind in HMP
	// for half an hour, which nobody can end.
	shortLifetime = 10 * time.Minute
)

// places is where fields of a target stand that a warning can be about.
type places struct{ timeout, tokenLifetime Error }

// Warnings lists what of a configuration works and is unwise: a token that goes over
// the wire in clear, a secret that others can read. It looks at the modes of the files
// as they are now. The list is sorted by file and line; it is nil if all is well.
func (c *Config) Warnings() Errors {
	warnings := append(Errors(nil), c.warnings...)
	for _, check := range c.checks {
		warnings = private{check.at, check.file}.warn(warnings)
	}
	for _, p := range c.private {
		warnings = p.warn(warnings)
	}
	return warnings.sorted()
}

// warn notes what is unwise about a target.
func (b *builder) warn(r *report, path string, raw *rawTarget, t *Target) {
	t.places = places{r.place(join(path, "timeout"), t.Name), r.place(join(path, "token_lifetime"), t.Name)}
	w := &warner{report: r, target: t.Name, warnings: &b.config.warnings}
	if t.URL != nil && t.URL.Scheme == "http" && !loopback(t.URL) {
		w.add(join(path, "url"), "is plain http: whoever is on the way can read and use the tokens", "use https")
	}
	if t.TLS.InsecureSkipVerify {
		w.add(join(path, "tls_config.insecure_skip_verify"), "lets anybody who can redirect the connection have the tokens",
			"give the HMP's certificate as ca_file")
	}
	for i, s := range t.Sessions {
		w.session(join(path, "sessions")+index(i), s)
	}
	if t.logsIn() {
		w.lifetime(join(path, "token_lifetime"), t.TokenLifetime)
	}
	for _, name := range slices.Sorted(maps.Keys(raw.HTTPHeaders.Headers)) {
		if len(raw.HTTPHeaders.Headers[name].Secrets) > 0 {
			w.exposed(join(join(path, "http_headers"), name), "name files instead")
		}
	}
	b.keep(r, path, raw, t.Name, w.inClear)
}

// keep notes which files hold secrets, beside those that sessions and headers name.
func (b *builder) keep(r *report, path string, raw *rawTarget, target string, inClear bool) {
	proxy := raw.ProxyURL.URL
	inClear = inClear || proxy != nil && proxy.User != nil || len(raw.ProxyConnectHeader) > 0
	if tls := raw.TLSConfig; tls != nil {
		inClear = inClear || tls.Key != ""
		if tls.KeyFile != "" {
			b.config.private = append(b.config.private, private{r.place(join(path, "tls_config.key_file"), target), tls.KeyFile})
		}
	}
	if inClear && !b.kept[r.file] && r.variables == nil {
		b.kept[r.file] = true
		b.config.private = append(b.config.private, private{Error{File: r.file}, r.file})
	}
}

// A warner collects the warnings about one target.
type warner struct {
	*report
	target, name string // of the target, and of the session at hand
	warnings     *Errors
	inClear      bool // a secret stands in the file
}

func (w *warner) add(path, problem, hint string) {
	e := w.place(path, w.target)
	e.Session, e.Problem, e.Hint = w.name, problem, hint
	*w.warnings = append(*w.warnings, &e)
}

// exposed warns of a secret that stands in the file; what is in the environment does not.
func (w *warner) exposed(path, hint string) {
	if w.variables == nil {
		w.inClear = true
		w.add(path, "is a secret in clear: whoever can read the configuration has it", hint)
	}
}

// session warns of secrets in the configuration itself.
func (w *warner) session(path string, s *Session) {
	w.name = s.Name
	for _, secret := range []SecretSource{s.APIKey, s.APISecret} {
		if !secret.IsZero() && secret.file == "" {
			w.exposed(join(path, secret.name), "put it into a file and name that: "+secret.name+"_file")
		}
	}
	if !s.Token.IsZero() && s.Token.file == "" {
		at := join(path, "token")
		w.exposed(at, "put it into a file and name that: token_file")
		w.add(at, "ends after 30 minutes, as all of HMP's tokens do, and nothing renews this one",
			"use "+w.report.name("api_key_file")+" and "+w.report.name("api_secret_file"))
	}
	w.name = ""
}

// lifetime warns of one that makes logins useless or many.
func (w *warner) lifetime(path string, l time.Duration) {
	switch {
	case l > documentedLifetime:
		w.add(path,
			fmt.Sprintf("%s is longer than the 30 minutes that HMP keeps a token: sessions lose theirs before it is renewed", model.Duration(l)),
			"use 30m, unless your HMP is known to keep them longer")
	case l < shortLifetime:
		w.add(path,
			fmt.Sprintf("%s makes %d logins an hour for each session, and each leaves a session behind in HMP for 30 minutes",
				model.Duration(l), time.Hour/l),
			"use 30m, as HMP documents")
	}
}

// place is an error about a field that says where it stands, and not yet what is wrong.
func (r *report) place(path, target string) Error {
	return Error{File: r.file, Line: r.line(path), Field: r.field(path), Target: target}
}

// loopback tells whether a URL stays on this machine.
func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
