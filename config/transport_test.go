package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"hmp_exporter/internal/secret"
	"math/big"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestClientCertificate(t *testing.T) {
	cert, key := keyPair(t)
	indent := func(text string) string { return strings.ReplaceAll(text, "\n", "\n        ") }
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cert.pem"), cert)
	write(t, filepath.Join(dir, "key.pem"), key)
	write(t, filepath.Join(dir, "hmp.yml"), "targets:\n"+
		"  - name: inline\n    url: https://a\n    sessions: [{name: a, token: CANARY}]\n"+
		"    tls_config:\n      ca: |\n        "+indent(cert)+"\n      cert: |\n        "+indent(cert)+"\n      key: |\n        "+indent(key)+"\n"+
		"  - name: files\n    url: https://a\n    sessions: [{name: a, token: CANARY}]\n"+
		"    tls_config: {ca_file: cert.pem, cert_file: cert.pem, key_file: key.pem}\n")
	config, err := Load(filepath.Join(dir, "hmp.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range config.Targets {
		got, err := target.TLS.GetClientCertificate(new(tls.CertificateRequestInfo))
		if err != nil || len(got.Certificate) != 1 || target.TLS.RootCAs == nil || target.TLS.ServerName != "" {
			t.Errorf("%s: certificate %v, %v; TLS %v", target, got, err, target.TLS.RootCAs)
		}
	}
	line := strings.Split(key, "\n")[1]
	if shown := show(t, config); strings.Contains(shown, line) || !strings.Contains(shown, "key: "+secret.Masked) {
		t.Errorf("the key is not masked in:\n%s", shown)
	}
}

// TestPEMFromFIFO would wait forever if the file were opened as any other.
func TestPEMFromFIFO(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "ca.pem"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "hmp.yml"), "targets: [{name: a, url: https://a, tls_config: {ca_file: ca.pem}, sessions: [{name: a, token: CANARY}]}]")
	_, err := Load(filepath.Join(dir, "hmp.yml"))
	if !strings.Contains(errorText(err), errNotRegular.Error()) {
		t.Errorf("Load = %v, want %v", err, errNotRegular)
	}
}

func TestProxy(t *testing.T) {
	config, err := Load(filepath.Join(goodDir(t), "full.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"https://hmp.studio.example": "http://CANARY-user:CANARY-password@proxy.example:3128",
		"https://10.1.2.3":           "",
	} {
		request, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		proxy, err := config.Targets[0].Proxy(request)
		if proxy != nil {
			got = proxy.String()
		}
		if err != nil || got != want {
			t.Errorf("proxy of %s = %q, %v; want %q", url, got, err, want)
		}
	}
}

// keyPair makes a self-signed certificate and its key, both as PEM.
func keyPair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}
