package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"hmp_exporter/internal/secret"
)

const (
	// documentedLifetime is how long HMP keeps a token: "the token expires after 30
	// minutes", say three of the vendor's pages.
	documentedLifetime = 30 * time.Minute
	// shortLifetime is where logins become many: each leaves a session behind in HMP
	// for half an hour, which nobody can end.
	shortLifetime = 10 * time.Minute
	// staleness is after how long without a sample Prometheus takes a series for gone.
	staleness = 5 * time.Minute
	// shortSecret is the length below which a secret is easily guessed.
	shortSecret = 8
)

const shortProblem, shortHint = "is a secret of less than 8 characters", "find out whether it is the whole secret"

func isShort(value secret.Value) bool { return len(value.Reveal()) < shortSecret }

// places is where fields of a target stand that a warning can be about.
type places struct{ timeout, tokenLifetime Error }

// Warnings lists what of a configuration works and is unwise: a token that goes over
// the wire in clear, a secret that others can read. It looks at the modes of the files
// as they are now, and at the secrets in them. The list is sorted by file and line; it
// is nil if all is well.
func (c *Config) Warnings() Errors {
	warnings := append(slices.Clone(c.warnings), c.unwatched...)
	for i, r := range c.readSecrets() {
		f := c.secretFiles[i]
		if r.short {
			warnings = append(warnings, f.problem(shortProblem, shortHint))
		}
		if !errors.Is(r.err, ErrSlowFile) { // else a look at its mode would hang too
			warnings = f.warnOfMode(warnings)
		}
	}
	return warnings.sorted()
}

// warnOfMode adds a warning if others can get at the file. What is no file, such as a
// directory or a device, has its mode for other reasons, and cannot be read as a secret.
func (f secretFile) warnOfMode(to Errors) Errors {
	info, err := os.Stat(f.file)
	if err != nil || !info.Mode().IsRegular() || !openToOthers(info) {
		return to
	}
	problem := fmt.Sprintf("has mode %04o: others than its owner can get at the secret in it", info.Mode().Perm())
	e := f.problem(problem, "chmod 600, or 640 and root as its owner, with the exporter's group")
	if e.File == f.file {
		e.Problem = problem // the configuration itself, which is named already
	}
	return append(to, e)
}

// IntervalWarnings lists what makes no sense if Prometheus scrapes that often, as
// [Config.Warnings] does for the rest.
func (c *Config) IntervalWarnings(interval time.Duration) Errors {
	var warnings Errors
	every := model.Duration(interval)
	add := func(at Error, problem, hint string) {
		at.Problem, at.Hint = problem, hint
		warnings = append(warnings, &at)
	}
	if interval > staleness {
		add(Error{File: c.source},
			fmt.Sprintf("a scrape interval of %s is longer than the 5 minutes after which Prometheus takes a series for gone", every),
			"scrape every 2 minutes at least")
	}
	for _, t := range c.Targets {
		if t.Timeout > interval {
			add(t.places.timeout,
				fmt.Sprintf("%s is longer than the scrape interval of %s, and Prometheus waits no longer than that", model.Duration(t.Timeout), every),
				"shorten the timeout, or scrape less often")
		}
		// A token is renewed at the first scrape after some nine tenths of its life.
		if t.logsIn() && interval > t.TokenLifetime-t.TokenLifetime/10 {
			add(t.places.tokenLifetime,
				fmt.Sprintf("%s is over before the next scrape, with an interval of %s: every scrape logs in, and leaves a session behind in HMP",
					model.Duration(t.TokenLifetime), every),
				"scrape more often")
		}
	}
	return warnings.sorted()
}

// warn notes what is unwise about a target.
func (b *builder) warn(p place, raw *rawTarget, t *Target) {
	t.places = places{p.error("timeout"), p.error("token_lifetime")}
	w := &warner{place: p, to: &b.config.warnings}
	if t.URL != nil && t.URL.Scheme == "http" && !loopback(t.URL) {
		w.add("url", "is plain http: whoever is on the way can read and use the tokens", "use https")
	}
	if t.TLS.InsecureSkipVerify {
		w.add("tls_config.insecure_skip_verify", "lets anybody who can redirect the connection have the tokens", "give the HMP's certificate as ca_file")
	}
	if t.logsIn() {
		w.lifetime(t.TokenLifetime)
	}
	for _, name := range slices.Sorted(maps.Keys(raw.HTTPHeaders.Headers)) {
		if len(raw.HTTPHeaders.Headers[name].Secrets) > 0 {
			w.exposed(join("http_headers", name), "name files instead")
		}
	}
	for i, s := range t.Sessions {
		w.path, w.session = p.at("sessions")+index(i), s.Name
		w.secrets(s)
	}
	proxy := raw.ProxyURL.URL
	inClear := w.inClear || proxy != nil && proxy.User != nil || len(raw.ProxyConnectHeader) > 0
	if tls := raw.TLSConfig; tls != nil {
		inClear = inClear || tls.Key != ""
		if tls.KeyFile != "" {
			b.config.secretFiles = append(b.config.secretFiles, secretFile{at: p.error("tls_config.key_file"), file: tls.KeyFile})
		}
	}
	if inClear && !b.kept[p.file] && p.variables == nil {
		b.kept[p.file] = true
		b.config.secretFiles = append(b.config.secretFiles, secretFile{at: Error{File: p.file}, file: p.file})
	}
}

// A warner collects the warnings about one target.
type warner struct {
	place
	to      *Errors
	inClear bool // a secret stands in the file
}

func (w *warner) add(field, problem, hint string) {
	e := w.error(field)
	e.Problem, e.Hint = problem, hint
	*w.to = append(*w.to, &e)
}

// exposed warns of a secret that stands in the file; what is in the environment does not.
func (w *warner) exposed(field, hint string) {
	if w.variables == nil {
		w.inClear = true
		w.add(field, "is a secret in clear: whoever can read the configuration has it", hint)
	}
}

// secrets warns of those in the configuration itself.
func (w *warner) secrets(s *Session) {
	for i, source := range []SecretSource{s.Token, s.APIKey, s.APISecret} {
		if source.IsZero() || source.file != "" {
			continue
		}
		field := []string{"token", "api_key", "api_secret"}[i]
		var problems, hints []string // one warning for all of them
		note := func(problem, hint string) { problems, hints = append(problems, problem), append(hints, hint) }
		if w.variables == nil { // what is in the environment is not in the file
			w.inClear = true
			note("is a secret in clear: whoever can read the configuration has it", "put it into a file and name that: "+field+"_file")
		}
		if isShort(source.value) {
			note(shortProblem, shortHint)
		}
		if field == "token" {
			note("ends after 30 minutes, as all of HMP's tokens do, and nothing renews this one",
				"use "+w.name("api_key_file")+" and "+w.name("api_secret_file"))
			hints = hints[len(hints)-1:] // the key does away with the token
		}
		if len(problems) > 0 {
			w.add(field, strings.Join(problems, "; it "), strings.Join(hints, "; "))
		}
	}
}

// lifetime warns of one that makes logins useless or many.
func (w *warner) lifetime(l time.Duration) {
	switch {
	case l > documentedLifetime:
		w.add("token_lifetime",
			fmt.Sprintf("%s is longer than the 30 minutes that HMP keeps a token: sessions lose theirs before it is renewed", model.Duration(l)),
			"use 30m, unless your HMP is known to keep them longer")
	case l < shortLifetime:
		w.add("token_lifetime",
			fmt.Sprintf("%s makes %d logins an hour for each session, and each leaves a session behind in HMP for 30 minutes",
				model.Duration(l), time.Hour/l),
			"use 30m, as HMP documents")
	}
}

// loopback tells whether a URL stays on this machine.
func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
