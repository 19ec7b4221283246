package config

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	promconfig "github.com/prometheus/common/config"

	"hmp_exporter/internal/secret"
)

// unsupportedRef matches a field for secret managers in an error of the package of Prometheus.
var unsupportedRef = regexp.MustCompile(`, (\w+) & \w+_ref\b`)

// setTLS sets the TLS settings of a target. A loader reads the files, to report their problems.
func (l *loader) setTLS(p position, raw *promconfig.TLSConfig, t *Target) {
	t.TLS = &tls.Config{
		ServerName:         raw.ServerName,
		InsecureSkipVerify: raw.InsecureSkipVerify, //nolint:gosec // off unless a user sets it, and then check warns
		MinVersion:         uint16(raw.MinVersion),
		MaxVersion:         uint16(raw.MaxVersion),
	}
	if err := raw.Validate(); err != nil {
		if !p.isReported() {
			p.report(unsupportedRef.ReplaceAllString(err.Error(), " and $1"), "")
		}
		return
	}
	if raw.CA+raw.CAFile != "" {
		ca, text := l.newPEM(p, "ca", raw.CA, &raw.CAFile)
		t.RootCAs = &RootCAs{pem: ca}
		if _, err := t.RootCAs.pool(text); err != nil && !text.IsZero() {
			p.problems.add(ca.problem(p.child(ca.name), err))
		}
	}
	if raw.Cert+raw.CertFile != "" {
		cert, certText := l.newPEM(p, "cert", raw.Cert, &raw.CertFile)
		key, keyText := l.newPEM(p, "key", string(raw.Key), &raw.KeyFile)
		if !certText.IsZero() && !keyText.IsZero() {
			if _, err := tls.X509KeyPair([]byte(certText.Reveal()), []byte(keyText.Reveal())); err != nil {
				p.report(fmt.Sprintf("%s and %s do not go together: %v", cert, key, err), "")
			}
		}
		t.TLS.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return clientCertificate(cmp.Or(info.Context(), context.Background()), cert, key, t.Timeout)
		}
	}
}

// newPEM returns the source of a certificate or key, and its text. If the file has a problem, or
// the loader may not open it, the text is zero.
func (l *loader) newPEM(p position, field, inline string, file *string) (SecretSource, secret.Value) {
	s := p.newSecretSource(field, newSecret(inline), file, kindPEM)
	p = p.child(s.name)
	if !s.InFile() {
		if field != "key" && strings.Contains(inline, "PRIVATE KEY-----") {
			p.report("has a private key in it, and /config shows this field", "leave only certificates; put the key into key_file")
		}
		return s, s.value
	}
	if l.syntaxOnly || p.isReported() {
		return s, secret.Value{}
	}
	text, err := s.parse(l.read(input{s.file, maxSecretFile}))
	if err != nil {
		p.problems.add(s.problem(p, err))
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
