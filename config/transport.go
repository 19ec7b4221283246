package config

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
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

func (l *loader) tls(p position, raw *promconfig.TLSConfig, t *Target) {
	t.TLS = &tls.Config{
		ServerName:         raw.ServerName,
		InsecureSkipVerify: raw.InsecureSkipVerify, //nolint:gosec // off unless a user sets it, and then check warns
		MinVersion:         uint16(raw.MinVersion),
		MaxVersion:         uint16(raw.MaxVersion),
	}
	if err := raw.Validate(); err != nil {
		if p.valid("") {
			p.add("", err.Error(), "")
		}
		return
	}
	if raw.CA+raw.CAFile != "" {
		ca, text := l.pem(p, "ca", &raw.CAFile, raw.CA)
		t.RootCAs = &RootCAs{pem: ca}
		if _, err := t.RootCAs.pool(text); err != nil && !text.IsZero() {
			p.errs.add(ca.problem(p.error(ca.name), err))
		}
	}
	if raw.Cert+raw.CertFile != "" {
		cert, certText := l.pem(p, "cert", &raw.CertFile, raw.Cert)
		key, keyText := l.pem(p, "key", &raw.KeyFile, string(raw.Key))
		if !certText.IsZero() && !keyText.IsZero() {
			if _, err := tls.X509KeyPair([]byte(certText.Reveal()), []byte(keyText.Reveal())); err != nil {
				p.add("", fmt.Sprintf("%s and %s do not go together: %v", cert, key, err), "")
			}
		}
		t.TLS.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return clientCertificate(cmp.Or(info.Context(), context.Background()), cert, key, t.Timeout)
		}
	}
}

// pem returns the source of a certificate or key, which is inline or in a file, and its text.
// It makes the path of the file relative to the working directory. If the file has a problem,
// or the load may not open it, the text is zero.
func (l *loader) pem(p position, field string, file *string, inline string) (s SecretSource, text secret.Value) {
	s = SecretSource{name: field, value: secret.New(inline), kind: kindPEM}
	data, err := []byte(inline), error(nil)
	if *file != "" {
		field += "_file"
		isPath := p.checkPath(field, *file)
		*file = promconfig.JoinDir(p.dir(), *file)
		s = SecretSource{name: p.name(field), file: *file, kind: kindPEM}
		if l.SyntaxOnly || !isPath {
			return s, secret.Value{}
		}
		data, err = l.read(input{*file, maxSecretFile})
	}
	text, err = s.parse(data, err)
	if err != nil {
		p.errs.add(s.problem(p.error(field), err))
	}
	return s, text
}

// RootCAs are the certificates of ca or ca_file. They follow changes of the file.
type RootCAs struct {
	pem  SecretSource
	last atomic.Pointer[cachedPool]
}

type cachedPool struct {
	content digest
	pool    *x509.CertPool
}

// Pool returns the current certificates. It returns the same pool until they change.
func (r *RootCAs) Pool(ctx context.Context) (*x509.CertPool, error) {
	text, err := r.pem.Read(ctx)
	if err != nil {
		return nil, err
	}
	pool, err := r.pool(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.pem, err)
	}
	return pool, nil
}

func (r *RootCAs) pool(text secret.Value) (*x509.CertPool, error) {
	certificates := []byte(text.Reveal())
	now := &cachedPool{newDigest(certificates, nil), x509.NewCertPool()}
	if last := r.last.Load(); last != nil && last.content == now.content {
		return last.pool, nil
	}
	if !now.pool.AppendCertsFromPEM(certificates) {
		return nil, errNoCertificate
	}
	r.last.Store(now)
	return now.pool, nil
}

// String returns a name of the certificates for an error message.
func (r *RootCAs) String() string {
	return "the CA in " + cmp.Or(r.pem.file, "tls_config")
}

// clientCertificate reads a certificate and its key. Each handshake calls it. The context of
// a handshake has no deadline, because net/http may use the connection later.
func clientCertificate(ctx context.Context, cert, key SecretSource, timeout time.Duration) (*tls.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var pem [2][]byte
	for i, s := range []SecretSource{cert, key} {
		text, err := s.Read(ctx)
		if err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		pem[i] = []byte(text.Reveal())
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
		p.add("proxy_url", err.Error(), "")
	}
	if raw.ProxyFromEnvironment && target != nil {
		environment := httpproxy.FromEnvironment()
		value := environment.HTTPSProxy
		if target.Scheme == "http" {
			value = environment.HTTPProxy
		}
		full := value
		if !strings.Contains(value, "://") {
			full = "http://" + value
		}
		if u, err := url.Parse(full); value != "" && (err != nil || !isProxy(u)) {
			p.add("proxy_from_environment", "the environment variable "+strings.ToUpper(target.Scheme)+"_PROXY is not the URL of a proxy", "write it like http://proxy.example:3128, or unset it")
		}
	}
	for name, values := range raw.ProxyConnectHeader {
		for i, value := range values {
			p.child("proxy_connect_header").item(name, i).header(string(value))
		}
	}
}

// isProxy reports whether net/http can use the URL as the URL of a proxy.
func isProxy(u *url.URL) bool {
	return slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) && u.Hostname() != "" &&
		isPort(cmp.Or(u.Port(), "443")) && !strings.HasSuffix(u.Host, ":")
}

// unusableHeaders are headers that break a probe or change its result, beside the headers
// that the package of Prometheus reserves.
var unusableHeaders = []string{
	"Accept", "Cookie", "Expect", "Http2-Settings", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since",
	"Proxy-Connection", "Range", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// A header is one value of http_headers.
type header struct {
	name  string
	value SecretSource
}

// Header returns the configured http_headers, nil if there are none. It reads their files on
// every call. If ctx ends first, it returns an error.
func (t *Target) Header(ctx context.Context) (http.Header, error) {
	if len(t.headers) == 0 {
		return nil, nil
	}
	all := make(http.Header)
	for _, h := range t.headers {
		value, err := h.value.Read(ctx)
		if err != nil {
			return nil, err
		}
		all.Add(h.name, value.Reveal())
	}
	return all, nil
}

func (l *loader) headers(p position, raw map[string]promconfig.Header) (all []header) {
	for name, h := range raw {
		at, canonical := p.child("http_headers").child(name), http.CanonicalHeaderKey(name)
		if _, isReserved := promconfig.ReservedHeaders[canonical]; isReserved || slices.Contains(unusableHeaders, canonical) {
			at.add("", "this header is set by the exporter, or changes the connection or the answer", "leave it out; a token belongs in a session")
		}
		for i, value := range h.Values {
			all = append(all, header{canonical, at.item("values", i).header(value)})
		}
		for i, value := range h.Secrets {
			all = append(all, header{canonical, at.item("secrets", i).header(string(value))})
		}
		for i, file := range h.Files {
			at := at.item("files", i)
			at.checkPath("", file)
			h.Files[i] = promconfig.JoinDir(p.dir(), file)
			s := SecretSource{name: strings.TrimPrefix(at.path, p.path+"."), file: h.Files[i], kind: kindHeader}
			all = append(all, header{canonical, s})
			l.addSecretFile(at, s)
		}
	}
	return all
}

// header returns the source of a header's value in the configuration itself.
func (p position) header(value string) SecretSource {
	s := SecretSource{name: p.path, value: secret.New(value), kind: kindHeader}
	p.check(s)
	return s
}
