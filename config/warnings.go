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
	documentedLifetime = model.Duration(30 * time.Minute) // "the token expires after 30 minutes", say three of the vendor's pages

	secretInClear = "is a secret in clear: everybody who can read the configuration can read it"
)

// secretFile is a file that only the exporter should read.
type secretFile struct {
	at     Error // the field that names it
	secret SecretSource
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
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	errs := make([]error, len(c.secretFiles))
	var wg sync.WaitGroup
	for i, f := range c.secretFiles { // all at once, to wait only once if a disk hangs
		wg.Go(func() { _, errs[i] = f.secret.read(ctx) })
	}
	wg.Wait()
	warnings = slices.Concat(c.warnings, c.LoadWarnings)
	for i, f := range c.secretFiles {
		if errs[i] != nil {
			problems = append(problems, f.secret.problem(f.at, errs[i]))
		}
		if errors.Is(errs[i], errSlowFile) {
			continue // os.Stat would hang too
		}
		// The mode of a directory or a device says nothing about a secret.
		if info, err := os.Stat(f.secret.file); err == nil && info.Mode().IsRegular() && isOpenToOthers(info.Mode()) {
			warnings = append(warnings, f.at.with(
				fmt.Sprintf("%s: has mode %04o: other users have access to the secret", f.secret.file, info.Mode().Perm()),
				"chmod 600; or the exporter's group, and chmod 640"))
		}
	}
	return problems.sorted(), warnings.sorted()
}

// isOpenToOthers reports whether a group can write a file, or everybody can read or write it.
// On Windows, access lists decide that.
func isOpenToOthers(mode os.FileMode) bool { return mode&0o027 != 0 && runtime.GOOS != "windows" }

// warn adds the warnings about a target.
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

	warn(raw.TokenLifetime > documentedLifetime && slices.ContainsFunc(t.Sessions, (*Session).KeyMode), p.child("token_lifetime"),
		fmt.Sprintf("%s is longer than the 30 minutes that HMP keeps a token: sessions lose theirs before it is renewed", raw.TokenLifetime),
		"use 30m, unless your HMP is known to keep them longer")
	for i, s := range t.Sessions {
		p := p.item("sessions", i)
		p.session = s.Name
		for _, secret := range []SecretSource{s.Token, s.APIKey, s.APISecret} {
			isInClear := !secret.value.IsZero() && p.variables == nil
			isToken, keyFiles := secret.kind == kindToken, "use "+p.name("api_key_file")+" and "+p.name("api_secret_file")
			p := p.child(secret.name)
			warn(isToken && isInClear, p, "is a secret in clear, and HMP ends a token after 30 minutes", keyFiles)
			warn(isToken && !isInClear, p, "HMP ends a token after 30 minutes, and the exporter does not renew it", keyFiles+", or have something replace the token before that")
			warn(!isToken && isInClear, p, secretInClear, "name a file instead: "+secret.name+"_file")
		}
	}
	for name, h := range raw.HTTPHeaders {
		warn(len(h.Secrets) > 0, p.child("http_headers").child(name), secretInClear, "name files instead")
	}
	if file := raw.TLSConfig.KeyFile; file != "" {
		l.addSecretFile(p.child("tls_config.key_file"), SecretSource{name: "key_file", file: file, kind: kindPEM})
	}
}
