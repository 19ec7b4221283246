package config

import (
	"crypto/tls"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/secret"
)

// A client certificate is in the configuration or in files. Each handshake reads the files again.
func TestClientCertificate(t *testing.T) {
	cert, key := keyPair(t)
	indent := func(text string) string { return strings.ReplaceAll(text, "\n", "\n        ") }
	config := loadText(t, "targets:\n"+
		"  - name: inline\n    url: https://a\n    sessions: [{name: a, token: CANARY}]\n"+
		"    tls_config:\n      ca: |\n        "+indent(cert)+"\n      cert: |\n        "+indent(cert)+"\n      key: |\n        "+indent(key)+"\n")
	sent := func() string {
		got, err := config.Targets[0].TLS.GetClientCertificate(new(tls.CertificateRequestInfo))
		if err != nil {
			return err.Error()
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: got.Certificate[0]}))
	}
	if got := sent(); got != cert || config.Targets[0].RootCAs == nil {
		t.Errorf("sent %s; CA %v", got, config.Targets[0].RootCAs)
	}
	if shown := show(t, config); strings.Contains(shown, strings.Split(key, "\n")[1]) || !strings.Contains(shown, "key: "+secret.Masked) {
		t.Errorf("the key is not masked in:\n%s", shown)
	}

	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	exportertest.WriteFile(t, certFile, cert)
	exportertest.WriteFile(t, keyFile, key)
	config = loadText(t, "targets: [{name: a, url: https://a, tls_config: {cert_file: "+certFile+", key_file: "+keyFile+"}, sessions: [{name: a, token: CANARY}]}]")
	other, otherKey := keyPair(t)
	for _, step := range []struct{ cert, key, want string }{
		{cert, key, cert},
		{other, otherKey, other},
		{other, key, "client certificate: cert_file " + certFile + " and key_file " + keyFile + " do not go together: tls: private key does not match public key"},
		{"", key, "client certificate: cert_file " + certFile + " and key_file " + keyFile + " do not go together: tls: failed to find any PEM data in certificate input"},
		{cert, "", "client certificate: key_file " + keyFile + ": no such file or directory"},
	} {
		exportertest.WriteFile(t, certFile, step.cert)
		exportertest.WriteFile(t, keyFile, step.key)
		if step.key == "" {
			if err := os.Remove(keyFile); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(step.want, sent()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// The page /config shows ca and cert. Go ignores a private key in ca.
func TestPrivateKeyInShownField(t *testing.T) {
	cert, key := keyPair(t)
	indent := func(text string) string { return strings.ReplaceAll(text, "\n", "\n        ") }
	file := filepath.Join(t.TempDir(), "hmp.yml")
	for field, more := range map[string]string{"ca": "", "cert": "      key: |\n        " + indent(key)} {
		exportertest.WriteFile(t, file, "targets:\n  - name: a\n    url: https://a\n    sessions: [{name: a, token: CANARY}]\n"+
			"    tls_config:\n      "+field+": |\n        "+indent(cert+key)+"\n"+more)
		_, err := loadFile(file)
		want := file + ":6: targets[0].tls_config." + field + ": has a private key in it, and /config shows this field; leave only certificates; put the key into key_file"
		if diff := cmp.Diff(want, errorText(err)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// A changed ca_file needs no reload.
func TestRootCAs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ca.pem")
	first, _ := keyPair(t)
	second, key := keyPair(t)
	exportertest.WriteFile(t, file, first)
	config := loadText(t, "targets: [{name: a, url: https://a, tls_config: {ca_file: "+file+"}, sessions: [{name: a, token: CANARY}]}]")
	roots := config.Targets[0].RootCAs
	before, err := roots.Pool(t.Context())
	if again, _ := roots.Pool(t.Context()); err != nil || again != before {
		t.Errorf("the pool is another one, though the file is not: %v", err)
	}
	exportertest.WriteFile(t, file, second)
	if after, err := roots.Pool(t.Context()); err != nil || after.Equal(before) {
		t.Errorf("the pool is the same, though the file is not: %v", err)
	}
	for content, want := range map[string]string{"CANARY": "has no certificate in it", "": "has no certificate in it", key: "has no certificate in it"} {
		exportertest.WriteFile(t, file, content)
		if _, err := roots.Pool(t.Context()); errorText(err) != "ca_file "+file+": "+want {
			t.Errorf("Pool = %v, want %s", err, want)
		}
	}
	if want := "the CA in " + file; roots.String() != want {
		t.Errorf("String = %s, want %s", roots, want)
	}
}
