package hmp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"
)

// The reason for a self-signed certificate of the same name does not list what Go tried with other certificates.
func TestUnknownAuthorityWithoutGuess(t *testing.T) {
	signed := func() *x509.Certificate {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "HMP"}, NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	roots := x509.NewCertPool()
	roots.AddCert(signed())
	_, err := signed().Verify(x509.VerifyOptions{Roots: roots})
	if err == nil || !strings.Contains(err.Error(), "possibly because of") {
		t.Fatalf("Go no longer guesses: %v", err)
	}
	const want = "x509: certificate signed by unknown authority; if the HMP signed its certificate itself, give it as tls_config.ca_file"
	if got := handshakeReason(err, new(mask)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
