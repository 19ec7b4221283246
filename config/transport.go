package config

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"golang.org/x/net/http/httpguts"

	"hmp_exporter/internal/secret"
)

var (
	errHeaderEmpty = errors.New("is empty")
	errHeaderValue = errors.New("has characters that cannot stand in a header")
)

// transport adds what an HTTP client needs to reach a target: TLS, proxy and headers.
func (b *builder) transport(p place, raw *rawTarget, t *Target) {
	t.TLS, t.ca = b.tls(p, &raw.TLSConfig, t.Timeout)
	p.proxy(raw, t.URL)
	proxy := raw.ProxyConfig // a copy: it keeps the function, and two functions are never the same
	t.Proxy = proxy.Proxy()
	t.ProxyConnectHeader = raw.GetProxyConnectHeader()
	raw.HTTPHeaders.SetDirectory(p.dir)
	t.headers = b.headers(p, raw.HTTPHeaders)
}

// tls makes the TLS settings of a client.
func (b *builder) tls(p place, raw *promconfig.TLSConfig, timeout time.Duration) (config *tls.Config, ca string) {
	config = new(tls.Config)
	raw.SetDirectory(p.dir)
	for _, field := range []string{"ca_ref", "cert_ref", "key_ref"} {
		if at := p.at("tls_config." + field); p.has(at) {
			p.add(at, "secret managers are not supported", "name a file instead")
		}
	}
	at := p.at("tls_config")
	if err := raw.Validate(); err != nil && p.clean(at) {
		p.add(at, err.Error(), "")
	}
	if raw.MaxVersion != 0 && raw.MinVersion > raw.MaxVersion {
		p.add(join(at, "max_version"), "is less than min_version", "")
	}
	pair := clientCertificate{pemSource{"cert", raw.CertFile, raw.Cert}, pemSource{"key", raw.KeyFile, string(raw.Key)}, timeout}
	caSource := pemSource{"ca", raw.CAFile, raw.CA}
	var pem [3][]byte
	for i, s := range []pemSource{caSource, pair.cert, pair.key} {
		var err error
		if pem[i], err = s.read(b.ctx); err != nil {
			e := p.error("tls_config." + s.name())
			e.Problem, e.Hint, e.cause = s.file+": "+errors.Unwrap(err).Error(), fileHint(err), err
			p.addError(&e)
		}
	}
	ca = string(pem[0])
	if !p.clean(at) {
		return config, ca
	}

	config.ServerName = raw.ServerName
	config.InsecureSkipVerify = raw.InsecureSkipVerify
	config.MinVersion, config.MaxVersion = uint16(raw.MinVersion), uint16(raw.MaxVersion)
	if caSource.given() {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem[0]) {
			p.add(join(at, caSource.name()), "has no certificate in it", "it begins with -----BEGIN CERTIFICATE-----")
		}
	}
	if pair.cert.given() {
		if _, err := pair.parse(pem[1], pem[2]); err != nil {
			p.add(at, err.Error(), "")
		}
		config.GetClientCertificate = pair.forHandshake
	}
	return config, ca
}

// pemSource is a certificate or key that is given inline or as a file.
type pemSource struct{ field, file, text string }

func (s pemSource) given() bool { return s.file != "" || s.text != "" }

// name is that of the field that was given.
func (s pemSource) name() string {
	if s.file != "" {
		return s.field + "_file"
	}
	return s.field
}

// String names the field and its file.
func (s pemSource) String() string { return strings.TrimSpace(s.name() + " " + s.file) }

func (s pemSource) read(ctx context.Context) ([]byte, error) {
	if s.file == "" {
		return []byte(s.text), nil
	}
	data, err := readFile(ctx, s.file, maxPEMFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	return data, nil
}

// clientCertificate is a certificate with its key, for the HMP to verify. Both are read
// at each handshake, so that new ones need no reload.
type clientCertificate struct {
	cert, key pemSource
	timeout   time.Duration // the target's
}

// forHandshake is for [tls.Config]. The context of a handshake has no deadline, because
// net/http goes on with a connection that the request for it no longer needs.
func (c clientCertificate) forHandshake(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	ctx, cancel := context.WithTimeout(cmp.Or(info.Context(), context.Background()), c.timeout)
	defer cancel()
	pair, err := c.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("client certificate of tls_config: %w", err)
	}
	return pair, nil
}

func (c clientCertificate) load(ctx context.Context) (*tls.Certificate, error) {
	cert, err := c.cert.read(ctx)
	if err != nil {
		return nil, err
	}
	key, err := c.key.read(ctx)
	if err != nil {
		return nil, err
	}
	return c.parse(cert, key)
}

func (c clientCertificate) parse(cert, key []byte) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s are not a certificate and its key: %w", c.cert, c.key, err)
	}
	return &pair, nil
}

// proxy checks how to reach a target through a proxy. Without the check, one in the
// environment that is no URL would be passed by.
func (p place) proxy(raw *rawTarget, target *url.URL) {
	if err := raw.ProxyConfig.Validate(); err != nil && p.clean(p.at("proxy_url")) {
		field := "proxy_url"
		for _, given := range []string{"proxy_from_environment", "no_proxy", "proxy_connect_header"} {
			if p.has(p.at(given)) {
				field = given
			}
		}
		p.add(p.at(field), err.Error(), "")
	}
	if raw.ProxyFromEnvironment && target != nil {
		name := strings.ToUpper(target.Scheme) + "_PROXY"
		if lower := strings.ToLower(name); os.Getenv(lower) != "" {
			name = lower
		}
		value := os.Getenv(name)
		if !strings.Contains(value, "://") {
			value = "http://" + value
		}
		if u, err := url.Parse(value); os.Getenv(name) != "" && (err != nil || !isProxy(u)) {
			p.add(p.at("proxy_from_environment"), "the environment variable "+name+" is not the URL of a proxy",
				"write it like http://proxy.example:3128, or unset it")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(raw.ProxyConnectHeader)) {
		values := raw.ProxyConnectHeader[name]
		at := join(p.at("proxy_connect_header"), name)
		if len(values) == 0 && p.clean(at) {
			p.add(at, "no value", "give it a list of values")
		}
		for i, value := range values {
			if !httpguts.ValidHeaderFieldValue(string(value)) {
				p.add(at+index(i), errHeaderValue.Error(), "")
			}
		}
	}
}

// isProxy reports whether net/http can use the URL as that of a proxy.
func isProxy(u *url.URL) bool {
	return slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) && u.Hostname() != "" && validPort(u)
}

// header is one of http_headers.
type header struct {
	name   string
	values []secret.Value // those from values and those from secrets
	files  []string       // read anew for every request
}

// Header returns the configured http_headers, for the caller to keep. It reads their
// files on every call, and returns [ErrSlowFile] if ctx ends first. It returns nil if
// there are no headers.
func (t *Target) Header(ctx context.Context) (http.Header, error) {
	if len(t.headers) == 0 {
		return nil, nil
	}
	all := make(http.Header, len(t.headers))
	for _, h := range t.headers {
		for _, value := range h.values {
			all.Add(h.name, value.Reveal())
		}
		for _, file := range h.files {
			value, err := readHeader(ctx, file)
			if err != nil {
				return nil, &Error{File: file, Field: "header " + h.name, Problem: err.Error(), cause: err}
			}
			all.Add(h.name, value)
		}
	}
	return all, nil
}

// readHeader reads the value of a header. White space around it is dropped, as
// Prometheus does.
func readHeader(ctx context.Context, file string) (string, error) {
	data, err := readFile(ctx, file, maxSecretFile)
	if err != nil {
		return "", err
	}
	value := strings.TrimSpace(string(data))
	switch {
	case value == "":
		return "", errHeaderEmpty
	case !httpguts.ValidHeaderFieldValue(value):
		return "", errHeaderValue
	}
	return value, nil
}

// headers checks http_headers and puts them in a fixed order.
func (b *builder) headers(p place, raw promconfig.Headers) []header {
	var all []header
	seen := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(raw.Headers)) {
		field, h := join("http_headers", name), raw.Headers[name]
		at, canonical := p.at(field), http.CanonicalHeaderKey(name)
		if _, reserved := promconfig.ReservedHeaders[canonical]; reserved {
			p.add(at, "this header is set by the exporter", "leave it out; a token belongs in a session")
		}
		if first, ok := seen[canonical]; ok {
			p.add(at, "the same header as "+first, "put all values under one name")
		}
		seen[canonical] = name
		if len(h.Values)+len(h.Secrets)+len(h.Files) == 0 && p.clean(at) {
			p.add(at, "no value", "give it values, secrets or files")
		}
		one := header{name: canonical, files: h.Files}
		add := func(at, value string) {
			if !httpguts.ValidHeaderFieldValue(value) {
				p.add(at, errHeaderValue.Error(), "it is one line of text")
			}
			one.values = append(one.values, secret.New(value))
		}
		for i, value := range h.Values {
			add(at+".values"+index(i), value)
		}
		for i, value := range h.Secrets {
			add(at+".secrets"+index(i), string(value))
		}
		for i, file := range h.Files {
			b.config.secretFiles = append(b.config.secretFiles, secretFile{
				at:   p.error(field + ".files" + index(i)),
				file: file,
				read: func(ctx context.Context) (bool, error) { _, err := readHeader(ctx, file); return false, err },
				hint: fileHint,
			})
		}
		all = append(all, one)
	}
	return all
}
