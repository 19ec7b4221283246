package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?\n)```")

// TestRunbookCertificates runs the command that the runbook has for a certificate that expires, against a server that
// presents a chain of two. It shows both of them: the one that expires first may be either.
func TestRunbookCertificates(t *testing.T) {
	need(t, "openssl")
	chain, ends := chainOfTwo(t)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{chain}}
	server.StartTLS()
	defer server.Close()

	block := shellBlock.FindStringSubmatch(sections(t)[anchor("HMPCertificateExpiringSoon")])
	if len(block) != 2 || !strings.Contains(block[1], "<hmp>:443") {
		t.Fatal("the runbook has no command that shows the certificates of <hmp>:443")
	}
	script := strings.ReplaceAll(block[1], "<hmp>:443", server.Listener.Addr().String())
	output, err := command(t, "sh", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	got := strings.ReplaceAll(string(output), "CN=", "CN = ") // of OpenSSL 3.2 and later
	want := "subject=CN = hmp\nnotAfter=" + ends[0] + "\nsubject=CN = authority\nnotAfter=" + ends[1] + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("certificates (-want +got):\n%s", diff)
	}
}

// chainOfTwo makes a certificate of an HMP and one of an authority, which expires sooner. It also returns when they end, as
// openssl writes it.
func chainOfTwo(t *testing.T) (chain tls.Certificate, ends [2]string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	chain.PrivateKey = key
	named := func(name string, days int) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber:          big.NewInt(int64(days)),
			Subject:               pkix.Name{CommonName: name},
			NotBefore:             time.Now().Add(-time.Hour),
			NotAfter:              time.Now().AddDate(0, 0, days),
			BasicConstraintsValid: true,
			IsCA:                  name == "authority",
		}
	}
	authority := named("authority", 7)
	for i, certificate := range []*x509.Certificate{named("hmp", 90), authority} {
		der, err := x509.CreateCertificate(rand.Reader, certificate, authority, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		chain.Certificate = append(chain.Certificate, der)
		ends[i] = certificate.NotAfter.UTC().Format("Jan _2 15:04:05 2006") + " GMT"
	}
	return chain, ends
}
