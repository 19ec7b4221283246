//go:build unix

package config

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/secret"
)

// TestClientCertificate: a pair is inline, or follows the content of its files at each
// handshake. A problem of a file is one sentence that names the field.
func TestClientCertificate(t *testing.T) {
	cert, key := keyPair(t)
	indent := func(text string) string { return strings.ReplaceAll(text, "\n", "\n        ") }
	config := mustLoadText(t, "targets:\n"+
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
	other, otherKey := keyPair(t)
	for i, step := range []struct{ cert, key, want string }{
		{cert, key, cert},
		{other, otherKey, other},
		{other, key, "client certificate: cert_file " + certFile + " and key_file " + keyFile + " do not go together: tls: private key does not match public key"},
		{"", key, "client certificate: cert_file " + certFile + " and key_file " + keyFile + " do not go together: tls: failed to find any PEM data in certificate input"},
		{cert, "gone", "client certificate: key_file " + keyFile + ": no such file or directory"},
		{cert, "fifo", "client certificate: key_file " + keyFile + ": is not a regular file"},
	} {
		write(t, certFile, step.cert)
		write(t, keyFile, step.key)
		switch err := os.Remove(keyFile); {
		case err != nil:
			t.Fatal(err)
		case step.key == "fifo":
			if err := syscall.Mkfifo(keyFile, 0o600); err != nil {
				t.Fatal(err)
			}
		case step.key != "gone":
			write(t, keyFile, step.key)
		}
		if i == 0 {
			config = mustLoadText(t, "targets: [{name: a, url: https://a, tls_config: {cert_file: "+certFile+", key_file: "+keyFile+"}, sessions: [{name: a, token: CANARY}]}]")
		}
		if diff := cmp.Diff(step.want, sent()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// The certificates of a ca_file are those of its content, without a reload.
func TestRootCAs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ca.pem")
	first, _ := keyPair(t)
	second, key := keyPair(t)
	write(t, file, first)
	config := mustLoadText(t, "targets: [{name: a, url: https://a, tls_config: {ca_file: "+file+"}, sessions: [{name: a, token: CANARY}]}]")
	roots := config.Targets[0].RootCAs
	before, err := roots.Pool(t.Context())
	if again, _ := roots.Pool(t.Context()); err != nil || again != before {
		t.Errorf("the pool is another one, though the file is not: %v", err)
	}
	write(t, file, second)
	if after, err := roots.Pool(t.Context()); err != nil || after.Equal(before) {
		t.Errorf("the pool is the same, though the file is not: %v", err)
	}
	for content, want := range map[string]string{"CANARY": "has no certificate in it", "": "has no certificate in it", key: "has no certificate in it"} {
		write(t, file, content)
		if _, err := roots.Pool(t.Context()); errorText(err) != "ca_file "+file+": "+want {
			t.Errorf("Pool = %v, want %s", err, want)
		}
	}
	if want := "the CA in " + file; roots.String() != want {
		t.Errorf("String = %s, want %s", roots, want)
	}
}

// The context of a handshake has no deadline: the target's timeout bounds it.
func TestClientCertificateOfHungDisk(t *testing.T) {
	withHungDisk(t, func(t *testing.T, d *hungDisk) {
		cert, key := SecretSource{name: "cert", value: secret.New("CANARY"), kind: kindPEM}, SecretSource{name: "key_file", file: d.dir + "/key.pem", kind: kindPEM}
		start := time.Now()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				_, err := clientCertificate(t.Context(), cert, key, 10*time.Second)
				if want := "client certificate: key_file " + d.dir + "/key.pem: could not be read in time"; !errors.Is(err, errSlowFile) || errorText(err) != want {
					t.Errorf("got %v, want %s", err, want)
				}
			})
		}
		wg.Wait()
		if took, n := time.Since(start), d.opened.Load(); took != 10*time.Second || n != 1 {
			t.Errorf("took %s with %d files opened", took, n)
		}
	})
}

// A proxy of the environment that is no URL would be passed by.
func TestProxyFromEnvironment(t *testing.T) {
	const bad = "hmp.yml:1: targets[0].proxy_from_environment: the environment variable %s is not the URL of a proxy; write it like http://proxy.example:3128, or unset it"
	for _, tt := range []struct{ url, variable, value, want string }{
		{"https://a", "HTTPS_PROXY", "http://proxy.example:3128", ""},
		{"https://a", "HTTPS_PROXY", "proxy.example:3128", ""},
		{"https://a", "HTTPS_PROXY", "socks5://u:CANARY@[2001:db8::1]:1080/", ""},
		{"https://a", "HTTP_PROXY", "http://CANARY:%zz", ""}, // not for this URL
		{"http://a", "HTTP_PROXY", "http://CANARY:%zz", "HTTP_PROXY"},
		{"https://a", "HTTPS_PROXY", "http://u:CANARY@proxy.example:port", "HTTPS_PROXY"},
		{"https://a", "https_proxy", "http://CANARY proxy.example", "HTTPS_PROXY"},
		{"https://a", "HTTPS_PROXY", "http:/proxy.example:3128", "HTTPS_PROXY"},
		{"https://a", "HTTPS_PROXY", "htp://CANARY:3128", "HTTPS_PROXY"},
		{"https://a", "HTTPS_PROXY", "http://:3128", "HTTPS_PROXY"},
		{"https://a", "HTTPS_PROXY", " ", "HTTPS_PROXY"},
	} {
		t.Run(tt.variable+" "+tt.value, func(t *testing.T) {
			for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
				t.Setenv(name, "")
			}
			t.Setenv(tt.variable, tt.value)
			t.Chdir(t.TempDir())
			write(t, "hmp.yml", "targets: [{name: a, url: "+tt.url+", proxy_from_environment: true, sessions: [{name: a, token: CANARY}]}]")
			_, err := loadFile("hmp.yml")
			want := ""
			if tt.want != "" {
				want = fmt.Sprintf(bad, tt.want)
			}
			if diff := cmp.Diff(want, errorText(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	dir := goodDir(t)
	config, err := loadFile(filepath.Join(dir, "full.yml"))
	if err != nil {
		t.Fatal(err)
	}
	target, file := config.Targets[0], filepath.Join(dir, "secrets", "gateway.key")

	if _, err := target.Header(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Header = %v without its file, want %v", err, os.ErrNotExist)
	}
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"first", "second"} {
		write(t, file, " "+value+"\n")
		got, err := target.Header(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := http.Header{"X-Gateway-Key": {"plain", "CANARY-gateway", value}, "X-Seen": {"one", "two"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
