package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

const password = canary.Word + "-password"

// secured writes a web configuration with TLS and a user, and returns it with the
// TLS of a client.
func secured(t *testing.T) (webConfig string, client *tls.Config) {
	t.Helper()
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := authority.Certificate(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeFile(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})))
	writeFile(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	webConfig = writeFile(t, dir, "web.yml",
		"tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {prometheus: "+string(hash)+"}\n")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	return webConfig, &tls.Config{RootCAs: roots}
}

// TestServeSecured is that a web configuration holds for every listener.
func TestServeSecured(t *testing.T) {
	webConfig, clientTLS := secured(t)
	flags := webFlags(webConfig, "127.0.0.1:0", "127.0.0.1:0")
	listeners, err := Listen(flags)
	if err != nil {
		t.Fatal(err)
	}
	if len(listeners) != 2 {
		t.Fatalf("there are %d listeners, want 2", len(listeners))
	}
	var logged bytes.Buffer // slog's handler guards it
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, listeners, handlerOf(t, &fake{results: someResults(1)}), flags, slog.New(slog.NewTextHandler(&logged, nil)))
	}()

	var group sync.WaitGroup
	for _, l := range listeners {
		address := l.Addr().String()
		for _, http2 := range []bool{false, true} {
			group.Go(func() { checkSecured(t, address, clientTLS, http2) })
		}
	}
	group.Wait()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	canary.Check(t, "the log", logged.String())
}

func checkSecured(t *testing.T, address string, clientTLS *tls.Config, http2 bool) {
	client := newClient(t)
	client.Transport.(*http.Transport).TLSClientConfig = clientTLS.Clone()
	client.Transport.(*http.Transport).ForceAttemptHTTP2 = http2
	get := func(url, secret string) reply {
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("prometheus:"+secret))
		r, err := try(t.Context(), t, client, http.MethodGet, url, "Authorization", basic)
		if err != nil {
			t.Error(err)
		}
		return r
	}
	for range 3 {
		get("https://"+address+"/metrics", password).want(t, http.StatusOK, playout)
	}
	get("https://"+address+"/metrics", "wrong").want(t, http.StatusUnauthorized)
	get("http://"+address+"/-/healthy", password).want(t, http.StatusBadRequest, "Client sent an HTTP request to an HTTPS server.")
}

// TestServeTooLargeHeader is that a request of 100 kB is not even read.
func TestServeTooLargeHeader(t *testing.T) {
	r := newServed(t, "")
	r.get("/probe?target="+strings.Repeat("a", 100<<10)).want(t, http.StatusRequestHeaderFieldsTooLarge)
	r.get("/-/healthy").want(t, http.StatusOK)
}

// TestServeFails is that one listener that cannot be served ends the others.
func TestServeFails(t *testing.T) {
	listeners, err := Listen(webFlags("", "127.0.0.1:0", "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	_ = listeners[1].Close()
	err = Serve(t.Context(), listeners, handlerOf(t, new(fake)), webFlags(""), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "use of closed network connection") {
		t.Errorf("got %v, want that the second listener is closed", err)
	}
	if _, err := net.Dial("tcp", listeners[0].Addr().String()); err == nil {
		t.Error("the first listener is still open")
	}
}
