package hmpsim

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// An Authority is a certificate authority that exists in memory only.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority that is valid for ten years.
func NewAuthority() (*Authority, error) {
	now := time.Now()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "hmpsim authority"},
		NotBefore:             now.AddDate(-1, 0, 0),
		NotAfter:              now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	cert, key, err := sign(template, nil)
	if err != nil {
		return nil, fmt.Errorf("failed to make the authority: %w", err)
	}
	return &Authority{cert: cert, key: key}, nil
}

// PEM returns the authority's certificate for a ca_file.
func (a *Authority) PEM() []byte { return certificatePEM(a.cert) }

// CertificateOptions describe a server's certificate. The zero value is one for
// localhost, 127.0.0.1 and ::1 that is valid for a year.
type CertificateOptions struct {
	// Hosts are the DNS names and IP addresses that it is for.
	Hosts []string
	// NotBefore and NotAfter bound its validity.
	NotBefore, NotAfter time.Time
	// CommonNameOnly names the first host in the subject and nowhere else,
	// as the certificates of many appliances do. Go refuses these.
	CommonNameOnly bool
}

// Certificate makes a server's certificate signed by the authority, which is
// not sent along.
func (a *Authority) Certificate(o CertificateOptions) (tls.Certificate, error) {
	cert, key, err := sign(o.template(), a)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("failed to make a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}, nil
}

// SelfSigned makes a server's certificate that is signed with its own key, as
// an HMP is delivered with, and returns it also in PEM for a ca_file.
func SelfSigned(o CertificateOptions) (tls.Certificate, []byte, error) {
	cert, key, err := sign(o.template(), nil)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("failed to make a self-signed certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}, certificatePEM(cert), nil
}

func (o CertificateOptions) template() *x509.Certificate {
	hosts := o.Hosts
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: hosts[0]},
		NotAfter:    o.NotAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = now.AddDate(1, 0, 0)
	}
	// An expired certificate was valid once, so it begins before it ends.
	template.NotBefore = o.NotBefore
	if o.NotBefore.IsZero() {
		template.NotBefore = earlier(now, template.NotAfter).Add(-24 * time.Hour)
	}
	if o.CommonNameOnly {
		return template
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	return template
}

// sign makes a key and a certificate for it, signed by the authority, or with
// the key itself where there is none. ECDSA, because an RSA key takes a test's
// whole time to make.
func sign(template *x509.Certificate, by *Authority) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, err
	}
	signer := cmp.Or(by, &Authority{cert: template, key: key})
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, &key.PublicKey, signer.key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

func certificatePEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
