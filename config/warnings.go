package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"

	"hmp_exporter/internal/secret"
)

const (
	documentedLifetime = 30 * time.Minute // "the token expires after 30 minutes", say three of the vendor's pages
	shortLifetime      = 10 * time.Minute // each login leaves a session on HMP for half an hour
	longInterval       = 2 * time.Minute  // between scrapes: Prometheus marks a series stale after 5 minutes

	shortSecret  = 8
	shortProblem = "is a secret of less than 8 characters"
	shortHint    = "find out whether it is the whole secret"
)

func (s SecretSource) isShort(value secret.Value) bool {
	return s.kind != isHeader && len(value.Reveal()) < shortSecret
}

// secretFile is a file that only the exporter should read.
type secretFile struct {
	location Error        // of the field that names it
	source   SecretSource // zero name if no probe reads it
}

// addSecretFile adds a secret file that a field names.
func (b *builder) addSecretFile(p position, s SecretSource) {
	b.config.secretFiles = append(b.config.secretFiles, secretFile{p.error(s.name), s})
}

// CheckSecrets reads every secret and header file like a probe. Its error is of type
// [Errors]. Load does not do this, because a secret may appear before the next probe.
func (c *Config) CheckSecrets() error {
	var problems Errors
	_, errs := c.readSecrets()
	for i, err := range errs {
		if f := c.secretFiles[i]; err != nil {
			problems = append(problems, f.source.problem(f.location, err))
		}
	}
	return problems.orNil()
}

// readSecrets reads all files at once, so that it waits only once if a disk hangs.
func (c *Config) readSecrets() ([]secret.Value, []error) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	values, errs := make([]secret.Value, len(c.secretFiles)), make([]error, len(c.secretFiles))
	var wg sync.WaitGroup
	for i, f := range c.secretFiles {
		if !f.source.IsZero() {
			wg.Go(func() { values[i], errs[i] = f.source.read(ctx) })
		}
	}
	wg.Wait()
	return values, errs
}

// Warnings lists the settings that work but are unsafe or probably wrong, sorted by file and
// line. It also checks the current modes of the secret files, and the secrets in them.
func (c *Config) Warnings() Errors {
	warnings := append(slices.Clone(c.warnings), c.unmatchedPatterns...)
	values, errs := c.readSecrets()
	for i, f := range c.secretFiles {
		prefix := f.source.file + ": "
		if f.location.File == f.source.file {
			prefix = "" // the configuration itself, which the error already names
		}
		if !values[i].IsZero() && f.source.isShort(values[i]) {
			warnings = append(warnings, f.location.with(prefix+shortProblem, shortHint))
		}
		if errors.Is(errs[i], ErrSlowFile) {
			continue // os.Stat would hang too
		}
		// The mode of a directory or a device says nothing about a secret.
		if info, err := os.Stat(f.source.file); err == nil && info.Mode().IsRegular() && accessibleToOthers(info) {
			warnings = append(warnings, f.location.with(
				fmt.Sprintf("%shas mode %04o: other users than its owner have access to the secret", prefix, info.Mode().Perm()),
				"chmod 600; or owner root, the exporter's group, and chmod 640"))
		}
	}
	return warnings.sorted()
}

// IntervalWarnings lists the settings that do not fit a scrape interval.
func (c *Config) IntervalWarnings(interval time.Duration) Errors {
	var warnings Errors
	every := model.Duration(interval)
	warn := func(applies bool, at Error, problem, hint string) {
		if applies {
			warnings = append(warnings, at.with(problem, hint))
		}
	}
	warn(interval > longInterval, Error{File: c.source},
		fmt.Sprintf("a scrape interval of %s is longer than 2 minutes: Prometheus marks a series stale after 5 minutes without a sample", every), "scrape every 2 minutes at least")
	for _, t := range c.Targets {
		warn(t.Timeout > interval, t.timeoutLocation, fmt.Sprintf("%s is longer than the scrape interval of %s, and Prometheus waits no longer than that", model.Duration(t.Timeout), every),
			"shorten the timeout, or scrape less often")
		// The exporter renews a token at the first scrape after nine tenths of its life.
		warn(t.hasLogins() && interval > t.TokenLifetime-t.TokenLifetime/10, t.lifetimeLocation,
			fmt.Sprintf("%s is over before the next scrape, with an interval of %s: every scrape logs in, and leaves a session behind in HMP", model.Duration(t.TokenLifetime), every),
			"scrape more often")
	}
	return warnings.sorted()
}

const plaintextProblem = "is a secret in clear: everybody who can read the configuration can read it"

// warn adds the warnings about a target, and records whether it has a secret in clear.
func (b *builder) warn(p position, raw *rawTarget, t *Target) {
	t.timeoutLocation, t.lifetimeLocation = p.error("timeout"), p.error("token_lifetime")
	warn := func(applies bool, p position, field, problem, hint string) {
		if applies {
			b.config.warnings = append(b.config.warnings, p.error(field).with(problem, hint))
		}
	}
	host, _, err := net.SplitHostPort(t.Address)
	if err != nil && t.URL != nil {
		host = t.URL.Hostname()
	}
	isLoopback := host == "localhost" || net.ParseIP(host).IsLoopback()
	warn(t.URL != nil && t.URL.Scheme == "http" && !isLoopback, p, "url", "is plain http: anybody on the network path can read and use the tokens", "use https")
	warn(t.TLS.InsecureSkipVerify, p, "tls_config.insecure_skip_verify", "is unsafe: anybody who can redirect the connection gets the tokens", "give the HMP's certificate as ca_file")
	lifetime := model.Duration(t.TokenLifetime)
	warn(t.hasLogins() && t.TokenLifetime > documentedLifetime, p, "token_lifetime",
		fmt.Sprintf("%s is longer than the 30 minutes that HMP keeps a token: sessions lose theirs before it is renewed", lifetime),
		"use 30m, unless your HMP is known to keep them longer")
	warn(t.hasLogins() && t.TokenLifetime < shortLifetime, p, "token_lifetime",
		fmt.Sprintf("%s makes %d logins an hour for each session, and each leaves a session behind in HMP for 30 minutes", lifetime, time.Hour/t.TokenLifetime),
		"use 30m, as HMP documents")
	for _, name := range slices.Sorted(maps.Keys(raw.HTTPHeaders)) {
		hasSecret := len(raw.HTTPHeaders[name].Secrets) > 0
		p.plaintextSecret = p.plaintextSecret || hasSecret
		warn(hasSecret, p, join("http_headers", name), plaintextProblem, "name files instead")
	}
	for i, s := range t.Sessions {
		p := p.child("sessions" + indexPath(i))
		p.session = s.Name
		for j, source := range []SecretSource{s.Token, s.APIKey, s.APISecret} {
			field := []string{"token", "api_key", "api_secret"}[j]
			problem, hint := warnInline(p, field, source)
			warn(problem != "", p, field, problem, hint)
			warn(source.kind == isToken && source.InFile(), p, source.name, "HMP ends a token after 30 minutes, and the exporter does not renew one of a file",
				"have something replace it before that, or use "+p.name("api_key_file")+" and "+p.name("api_secret_file"))
		}
	}
	if file := raw.TLSConfig.KeyFile; file != "" {
		b.config.secretFiles = append(b.config.secretFiles, secretFile{p.error("tls_config.key_file"), SecretSource{file: file}})
	}
	proxy := raw.ProxyURL.URL
	p.plaintextSecret = p.plaintextSecret || proxy != nil && proxy.User != nil || len(raw.ProxyConnectHeader) > 0 || raw.TLSConfig.Key != ""
}

// warnInline returns one warning about a secret that is not in its own file.
func warnInline(p position, field string, s SecretSource) (problem, hint string) {
	if s.value.IsZero() {
		return "", ""
	}
	var problems, hints []string
	if p.variables == nil { // not in the environment
		p.plaintextSecret = true
		problems, hints = append(problems, plaintextProblem), append(hints, "put it into a file and name that: "+field+"_file")
	}
	if s.isShort(s.value) {
		problems, hints = append(problems, shortProblem), append(hints, shortHint)
	}
	if s.kind == isToken {
		problems = append(problems, "expires after 30 minutes like every HMP token, and the exporter cannot renew it")
		hints = []string{"use " + p.name("api_key_file") + " and " + p.name("api_secret_file")} // the token goes
	}
	return strings.Join(problems, "; it "), strings.Join(hints, "; ")
}
