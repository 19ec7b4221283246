package config

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"
)

const (
	documentedLifetime = 30 * time.Minute // "the token expires after 30 minutes", say three of the vendor's pages
	shortLifetime      = 10 * time.Minute // each login leaves a session on HMP for half an hour
	longInterval       = 2 * time.Minute  // between scrapes: Prometheus marks a series stale after 5 minutes
)

// secretFile is a file that only the exporter should read.
type secretFile struct {
	at     Error        // the field that names it
	source SecretSource // without a name if no probe reads it
}

// addSecretFile adds a secret file for Check.
func (l *loader) addSecretFile(p position, s SecretSource) {
	if l.ForCheck && !l.SyntaxOnly {
		l.config.secretFiles = append(l.config.secretFiles, secretFile{p.error(""), s})
	}
}

// Check reads every secret and header file like a probe. It returns the problems of the files,
// and warnings about what works but is unsafe or probably wrong. Load does not read the files,
// because a secret may appear before the next probe. Load must have been told [Source.ForCheck].
func (c *Config) Check() (problems, warnings Errors) {
	warnings = slices.Concat(c.warnings, c.UnmatchedPatterns)
	errs := c.readSecrets()
	for i, f := range c.secretFiles {
		prefix := f.source.file + ": "
		if f.at.File == f.source.file {
			prefix = "" // the configuration itself, which the error already names
		}
		if errs[i] != nil {
			problems = append(problems, f.source.problem(f.at, errs[i]))
		}
		if errors.Is(errs[i], errSlowFile) {
			continue // os.Stat would hang too
		}
		// The mode of a directory or a device says nothing about a secret.
		if info, err := os.Stat(f.source.file); err == nil && info.Mode().IsRegular() && isOpenToOthers(info.Mode()) {
			warnings = append(warnings, f.at.with(
				fmt.Sprintf("%shas mode %04o: other users have access to the secret", prefix, info.Mode().Perm()),
				"chmod 600; or the exporter's group, and chmod 640"))
		}
	}
	return problems.sorted(), warnings.sorted()
}

// readSecrets reads all files at once, so that it waits only once if a disk hangs.
func (c *Config) readSecrets() []error {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	errs := make([]error, len(c.secretFiles))
	var wg sync.WaitGroup
	for i, f := range c.secretFiles {
		if !f.source.IsZero() {
			wg.Go(func() { _, errs[i] = f.source.read(ctx) })
		}
	}
	wg.Wait()
	return errs
}

// isOpenToOthers reports whether a group can write a file, or everybody can read or write it.
// On Windows, access lists decide that.
func isOpenToOthers(mode os.FileMode) bool { return mode&0o027 != 0 && runtime.GOOS != "windows" }

// warn adds the warnings about a target, and records whether its file has a secret in clear.
func (l *loader) warn(p position, raw *rawTarget, t *Target) {
	warn := func(applies bool, p position, problem, hint string) {
		if applies {
			l.config.warnings = append(l.config.warnings, p.error("").with(problem, hint))
		}
	}
	host, _, err := net.SplitHostPort(t.Address)
	if err != nil && t.URL != nil {
		host = t.URL.Hostname()
	}
	isLoopback := host == "localhost" || net.ParseIP(host).IsLoopback()
	warn(t.URL != nil && t.URL.Scheme == "http" && !isLoopback, p.child("url"), "is plain http: anybody on the network path can read and use the tokens", "use https")
	warn(t.TLS.InsecureSkipVerify, p.child("tls_config.insecure_skip_verify"), "is unsafe: anybody who can redirect the connection gets the tokens", "give the HMP's certificate as ca_file")

	interval, every := l.ScrapeInterval, model.Duration(l.ScrapeInterval)
	warn(interval > 0 && t.Timeout > interval, p.child("timeout"),
		fmt.Sprintf("%s is longer than the scrape interval of %s, and Prometheus waits no longer than that", raw.Timeout, every),
		"shorten the timeout, or scrape less often")
	if hasLogins := slices.ContainsFunc(t.Sessions, (*Session).KeyMode); hasLogins {
		lifetime, p := raw.TokenLifetime, p.child("token_lifetime")
		warn(t.TokenLifetime > documentedLifetime, p,
			fmt.Sprintf("%s is longer than the 30 minutes that HMP keeps a token: sessions lose theirs before it is renewed", lifetime),
			"use 30m, unless your HMP is known to keep them longer")
		warn(t.TokenLifetime < shortLifetime, p,
			fmt.Sprintf("%s makes %d logins an hour for each session, and each leaves a session behind in HMP for 30 minutes", lifetime, time.Hour/t.TokenLifetime),
			"use 30m, as HMP documents")
		// The exporter renews a token at the first scrape after nine tenths of its life.
		warn(interval > t.TokenLifetime-t.TokenLifetime/10, p,
			fmt.Sprintf("%s is over before the next scrape, with an interval of %s: every scrape logs in, and leaves a session behind in HMP", lifetime, every),
			"scrape more often")
	}
	for i, s := range t.Sessions {
		p := p.item("sessions", i)
		p.session = s.Name
		for _, source := range []SecretSource{s.Token, s.APIKey, s.APISecret} {
			isInClear := !source.value.IsZero() && p.variables == nil
			p.plaintextSecret = p.plaintextSecret || isInClear
			p := p.child(source.name)
			warn(isInClear, p, "is a secret in clear: everybody who can read the configuration can read it", "name a file instead: "+source.name+"_file")
			warn(source.kind == isToken, p, "HMP ends a token after 30 minutes, and the exporter does not renew it",
				"use "+p.name("api_key_file")+" and "+p.name("api_secret_file")+", or have something replace the token before that")
		}
	}
	for name, h := range raw.HTTPHeaders {
		isInline := len(h.Secrets) > 0
		p.plaintextSecret = p.plaintextSecret || isInline
		warn(isInline, p.child("http_headers").child(name), "is a secret in clear: everybody who can read the configuration can read it", "name files instead")
	}
	if file := raw.TLSConfig.KeyFile; file != "" {
		l.addSecretFile(p.child("tls_config.key_file"), SecretSource{file: file})
	}
	proxy := raw.ProxyURL.URL
	p.plaintextSecret = p.plaintextSecret || proxy != nil && proxy.User != nil || len(raw.ProxyConnectHeader) > 0 || raw.TLSConfig.Key != ""
}
