package config

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	promconfig "github.com/prometheus/common/config"
	"golang.org/x/net/http/httpproxy"

	"hmp_exporter/internal/secret"
)

func (b *builder) tls(p position, raw *promconfig.TLSConfig, t *Target) {
	raw.SetDirectory(p.dir)
	t.TLS = &tls.Config{
		ServerName:         raw.ServerName,
		InsecureSkipVerify: raw.InsecureSkipVerify, //nolint:gosec // off unless a user sets it, and then check warns
		MinVersion:         uint16(raw.MinVersion),
		MaxVersion:         uint16(raw.MaxVersion),
	}
	if err := raw.Validate(); err != nil && p.valid("") {
		p.add("", err.Error(), "")
	}
	if raw.MaxVersion != 0 && raw.MinVersion > raw.MaxVersion {
		p.add("max_version", "is less than min_version", "")
	}
	if !p.valid("") {
		return
	}
	if raw.CA+raw.CAFile != "" {
		ca := p.pem("ca", raw.CAFile, raw.CA)
		t.RootCAs = &RootCAs{source: ca}
		if b.mayOpen(ca) && p.valid("") {
			if _, err := t.RootCAs.read(b.ctx); err != nil {
				p.addError(ca.problem(p.error(ca.name), err))
			}
		}
	}
	if raw.Cert+raw.CertFile != "" {
		cert, key := p.pem("cert", raw.CertFile, raw.Cert), p.pem("key", raw.KeyFile, string(raw.Key))
		if b.mayOpen(cert) && b.mayOpen(key) && p.valid("") {
			if _, err := clientCertificate(b.ctx, cert, key, t.Timeout); err != nil {
				p.add("", err.Error(), hintFor(err))
			}
		}
		t.TLS.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return clientCertificate(cmp.Or(info.Context(), context.Background()), cert, key, t.Timeout)
		}
	}
}

// mayOpen reports whether the load may read a source.
func (b *builder) mayOpen(s SecretSource) bool { return !b.syntaxOnly || !s.InFile() }

// pem returns the source of a certificate or key, which is inline or in a file.
func (p position) pem(field, file, text string) SecretSource {
	if file != "" {
		return SecretSource{name: p.name(field + "_file"), file: file, variable: p.variables != nil, kind: isPEM}
	}
	s := SecretSource{name: field, value: secret.New(text), kind: isPEM}
	p.check(field, s)
	return s
}

// RootCAs are the certificates of ca or ca_file. They follow changes of the file.
type RootCAs struct {
	source SecretSource
	last   atomic.Pointer[rootCAs]
}

type rootCAs struct {
	content digest
	pool    *x509.CertPool
}

// Pool returns the current certificates. It returns the same pool until they change.
func (r *RootCAs) Pool(ctx context.Context) (*x509.CertPool, error) {
	pool, err := r.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.source, err)
	}
	return pool, nil
}

// read is Pool with errors that do not have the source.
func (r *RootCAs) read(ctx context.Context) (*x509.CertPool, error) {
	value, err := r.source.read(ctx)
	if err != nil {
		return nil, err
	}
	text := []byte(value.Reveal())
	now := &rootCAs{newDigest(text, nil), x509.NewCertPool()}
	if last := r.last.Load(); last != nil && last.content == now.content {
		return last.pool, nil
	}
	if !now.pool.AppendCertsFromPEM(text) {
		return nil, errNoCertificate
	}
	r.last.Store(now)
	return now.pool, nil
}

// String returns a name of the certificates for an error message.
func (r *RootCAs) String() string {
	if r.source.file != "" {
		return "the CA in " + r.source.file
	}
	return "the CA in tls_config"
}

// clientCertificate reads a certificate and its key. Each handshake calls it. The context of
// a handshake has no deadline, because net/http may use the connection later.
func clientCertificate(ctx context.Context, cert, key SecretSource, timeout time.Duration) (*tls.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var pem [2][]byte
	for i, s := range []SecretSource{cert, key} {
		value, err := s.Read(ctx)
		if err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		pem[i] = []byte(value.Reveal())
	}
	pair, err := tls.X509KeyPair(pem[0], pem[1])
	if err != nil {
		return nil, fmt.Errorf("client certificate: %s and %s do not go together: %w", cert, key, err)
	}
	return &pair, nil
}

// proxy checks the proxy of a target. Without the check, net/http would ignore a proxy in the
// environment that is no URL.
func (p position) proxy(raw *rawTarget, target *url.URL) {
	if err := raw.ProxyConfig.Validate(); err != nil && p.valid("proxy_url") {
		fields := []string{"proxy_connect_header", "no_proxy", "proxy_from_environment", "proxy_url"}
		p.add(fields[slices.IndexFunc(fields, p.has)], err.Error(), "")
	}
	if raw.ProxyFromEnvironment && target != nil {
		environment := httpproxy.FromEnvironment()
		value := map[string]string{"http": environment.HTTPProxy, "https": environment.HTTPSProxy}[target.Scheme]
		full := value
		if !strings.Contains(value, "://") {
			full = "http://" + value
		}
		if u, err := url.Parse(full); value != "" && (err != nil || !isProxy(u)) {
			p.add("proxy_from_environment", "the environment variable "+strings.ToUpper(target.Scheme)+"_PROXY is not the URL of a proxy", "write it like http://proxy.example:3128, or unset it")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(raw.ProxyConnectHeader)) {
		values, field := raw.ProxyConnectHeader[name], join("proxy_connect_header", name)
		if len(values) == 0 && p.valid(field) {
			p.add(field, "no value", "give it a list of values")
		}
		for i, value := range values {
			p.header(field+indexPath(i), string(value))
		}
	}
}

// isProxy reports whether net/http can use the URL as the URL of a proxy.
func isProxy(u *url.URL) bool {
	return slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) && u.Hostname() != "" &&
		isPort(cmp.Or(u.Port(), "443")) && !strings.HasSuffix(u.Host, ":")
}

// unusableHeaders are headers that break a probe or change its result.
var unusableHeaders = []string{
	"Accept", "Cookie", "Expect", "Http2-Settings", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since",
	"Proxy-Connection", "Range", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

type header struct {
	name    string
	sources []SecretSource
}

// Header returns the configured http_headers, nil if there are none. It reads their files on
// every call. The error wraps [ErrSlowFile] if ctx ends first.
func (t *Target) Header(ctx context.Context) (http.Header, error) {
	if len(t.headers) == 0 {
		return nil, nil
	}
	all := make(http.Header, len(t.headers))
	for _, h := range t.headers {
		for _, s := range h.sources {
			value, err := s.Read(ctx)
			if err != nil {
				return nil, err
			}
			all.Add(h.name, value.Reveal())
		}
	}
	return all, nil
}

// headers checks http_headers and sorts them.
func (b *builder) headers(p position, raw map[string]promconfig.Header) []header {
	var all []header
	seen := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		field, h, canonical := join("http_headers", name), raw[name], http.CanonicalHeaderKey(name)
		h.SetDirectory(p.dir)
		_, reserved := promconfig.ReservedHeaders[canonical]
		switch {
		case reserved:
			p.add(field, "this header is set by the exporter", "leave it out; a token belongs in a session")
		case slices.Contains(unusableHeaders, canonical):
			p.add(field, "this header changes the connection or the answer, and the probe with it", "leave it out")
		}
		if first, ok := seen[canonical]; ok {
			p.add(field, "the same header as "+first, "put all values under one name")
		}
		seen[canonical] = name
		if len(h.Values)+len(h.Secrets)+len(h.Files) == 0 && p.valid(field) {
			p.add(field, "no value", "give it values, secrets or files")
		}
		one := header{name: canonical}
		for i, value := range h.Values {
			one.sources = append(one.sources, p.header(field+".values"+indexPath(i), value))
		}
		for i, value := range h.Secrets {
			one.sources = append(one.sources, p.header(field+".secrets"+indexPath(i), string(value)))
		}
		for i, file := range h.Files {
			s := SecretSource{name: field + ".files" + indexPath(i), file: file, kind: isHeader}
			one.sources = append(one.sources, s)
			b.addSecretFile(p, s)
		}
		all = append(all, one)
	}
	return all
}

// header returns the source of a header's value in the configuration itself.
func (p position) header(field, value string) SecretSource {
	s := SecretSource{name: field, value: secret.New(value), kind: isHeader}
	p.check(field, s)
	return s
}
