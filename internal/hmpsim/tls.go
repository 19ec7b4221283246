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
	"net"
	"time"
)

// An Authority is a certificate authority in memory.
type Authority struct{ certificate tls.Certificate }

// NewAuthority makes an authority that is valid for ten years.
func NewAuthority() (*Authority, error) {
	now := time.Now()
	certificate, err := sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: "hmpsim authority"},
		NotBefore:             now.AddDate(-1, 0, 0),
		NotAfter:              now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}, nil)
	return &Authority{certificate}, err
}

// PEM returns the authority's certificate for a ca_file.
func (a *Authority) PEM() []byte { return certificatePEM(a.certificate) }

// CertificateOptions describe a server's certificate. The zero value is for localhost,
// 127.0.0.1 and ::1, and for a year.
type CertificateOptions struct {
	Hosts               []string // DNS names and IP addresses
	NotBefore, NotAfter time.Time
	// CommonNameOnly names the first host in the subject and nowhere else, as many
	// appliances do. Go refuses that.
	CommonNameOnly bool
}

// Certificate makes a server's certificate that the authority signs.
func (a *Authority) Certificate(o CertificateOptions) (tls.Certificate, error) {
	return sign(o.template(), &a.certificate)
}

// SelfSigned makes a server's certificate that signs itself, as that of a new HMP, and
// returns it also in PEM for a ca_file.
func SelfSigned(o CertificateOptions) (tls.Certificate, []byte, error) {
	certificate, err := sign(o.template(), nil)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return certificate, certificatePEM(certificate), nil
}

func (o CertificateOptions) template() *x509.Certificate {
	hosts := o.Hosts
	if len(hosts) == 0 {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: hosts[0]},
		NotBefore:   cmp.Or(o.NotBefore, time.Now().AddDate(-1, 0, 0)),
		NotAfter:    cmp.Or(o.NotAfter, time.Now().AddDate(1, 0, 0)),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
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

// sign makes a key and a certificate for it. The certificate signs itself if by is nil.
func sign(template *x509.Certificate, by *tls.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	signer := cmp.Or(by, &tls.Certificate{Leaf: template, PrivateKey: key})
	der, err := x509.CreateCertificate(rand.Reader, template, signer.Leaf, &key.PublicKey, signer.PrivateKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

func certificatePEM(c tls.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
}
