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

// A Checked is a valid configuration and what [Source.Check] says about it.
type Checked struct {
	*Config
	SecretErrors Errors // problems of the files with secrets and headers
	Warnings     Errors // about settings that work but are unsafe or probably wrong
}

// Check loads the configuration. Then it reads every file with a secret or header like a probe.
// [Source.Load] does not read them, because a secret may appear before the next probe.
func (s *Source) Check() (*Checked, error) {
	c, positions, err := s.load()
	if err != nil {
		return nil, err
	}
	checker := &checker{warnings: slices.Clone(c.LoadWarnings)}
	for i, t := range c.Targets {
		checker.checkTarget(positions[i], t)
	}
	if !s.SyntaxOnly {
		checker.readFiles()
	}
	return &Checked{c, checker.secretErrors.sorted(), checker.warnings.sorted()}, nil
}

type checker struct {
	files                  []secretFile
	secretErrors, warnings Errors
}

// A secretFile is a file that only the exporter should read.
type secretFile struct {
	position position // of the field that names the file
	secret   SecretSource
}

const secretInClear = "is a secret in clear: everybody who can read the configuration can read it"

func (c *checker) checkTarget(p position, t *Target) {
	host, _, err := net.SplitHostPort(t.Address)
	if err != nil {
		host = t.URL.Hostname()
	}
	isLoopback := host == "localhost" || net.ParseIP(host).IsLoopback()
	if t.URL.Scheme == "http" && !isLoopback {
		c.warn(p.child("url"), "is plain http: anybody on the network path can read and use the tokens", "use https")
	}
	if t.TLS.InsecureSkipVerify {
		c.warn(p.child("tls_config.insecure_skip_verify"), "is unsafe: anybody who can redirect the connection gets the tokens", "give the HMP's certificate as ca_file")
	}
	if t.TokenLifetime > time.Duration(defaultTokenLifetime) && slices.ContainsFunc(t.Sessions, (*Session).KeyMode) {
		c.warn(p.child("token_lifetime"),
			fmt.Sprintf("%s is longer than the 30 minutes that HMP keeps a token: sessions lose theirs before it is renewed", model.Duration(t.TokenLifetime)),
			"use 30m, unless your HMP is known to keep them longer")
	}
	for name, h := range t.raw.HTTPHeaders {
		if len(h.Secrets) > 0 {
			c.warn(p.child("http_headers").child(name), secretInClear, "name files instead")
		}
	}
	for _, h := range t.headers {
		c.addFile(p, h.value)
	}
	if t.raw.TLSConfig.Key != "" {
		c.warn(p.child("tls_config.key"), secretInClear, "name a file instead: key_file")
	}
	c.addFile(p, SecretSource{name: "tls_config.key_file", file: t.raw.TLSConfig.KeyFile, kind: kindPEM})
	for i, s := range t.Sessions {
		p := p.child("sessions").item(i)
		p.session = s.Name
		for _, secret := range []SecretSource{s.Token, s.APIKey, s.APISecret} {
			c.adviseOnSecret(p, secret)
		}
	}
}

// adviseOnSecret warns of a secret of the session at p that others can read or that ends soon.
func (c *checker) adviseOnSecret(p position, s SecretSource) {
	c.addFile(p, s)
	isInClear := !s.value.IsZero() && p.variables == nil
	useKey := "use " + p.name("api_key_file") + " and " + p.name("api_secret_file")
	switch p = p.child(s.name); {
	case s.IsZero():
	case s.kind == kindToken && isInClear:
		c.warn(p, "is a secret in clear, and HMP ends a token after 30 minutes", useKey)
	case s.kind == kindToken:
		c.warn(p, "HMP ends a token after 30 minutes, and the exporter does not renew it", useKey+", or have something replace the token before that")
	case isInClear:
		c.warn(p, secretInClear, "name a file instead: "+s.name+"_file")
	}
}

func (c *checker) warn(p position, problem, hint string) {
	c.warnings = append(c.warnings, p.error(problem, hint))
}

// addFile adds the file of a secret, if it has one.
func (c *checker) addFile(p position, s SecretSource) {
	if s.InFile() {
		c.files = append(c.files, secretFile{p.child(s.name), s})
	}
}

// readFiles reads all files at once, so that it waits only once if a disk hangs.
func (c *checker) readFiles() {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	errs := make([]error, len(c.files))
	var wg sync.WaitGroup
	for i, f := range c.files {
		wg.Go(func() { _, errs[i] = f.secret.read(ctx) })
	}
	wg.Wait()
	for i, f := range c.files {
		if errs[i] != nil {
			c.secretErrors = append(c.secretErrors, f.secret.problem(f.position, errs[i]))
		}
		if errors.Is(errs[i], errSlowFile) {
			continue // os.Stat would hang too
		}
		// The mode of a directory or a device says nothing about a secret.
		if info, err := os.Stat(f.secret.file); err == nil && info.Mode().IsRegular() && isOpenToOthers(info.Mode()) {
			c.warn(f.position, fmt.Sprintf("%s: has mode %04o: other users have access to the secret", f.secret.file, info.Mode().Perm()),
				"chmod 600; or the exporter's group, and chmod 640")
		}
	}
}

// isOpenToOthers reports whether a group can write a file, or everybody can read or write it.
// On Windows, access lists decide that.
func isOpenToOthers(mode os.FileMode) bool { return mode&0o027 != 0 && runtime.GOOS != "windows" }
