package hmpsim

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"testing"
	"time"
)

// trust makes the client trust a CA, and speak HTTP/2 where the server does.
func (c caller) trust(pem []byte) {
	c.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		c.t.Fatal("no certificate in the PEM")
	}
	transport := c.client.Transport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	transport.ForceAttemptHTTP2 = true
}

func testAuthority(t *testing.T, o CertificateOptions) (*Authority, tls.Certificate) {
	t.Helper()
	authority, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := authority.Certificate(o)
	if err != nil {
		t.Fatal(err)
	}
	return authority, cert
}

func TestCertificates(t *testing.T) {
	expired := func(err error) bool {
		var invalid x509.CertificateInvalidError
		return errors.As(err, &invalid) && invalid.Reason == x509.Expired
	}
	wrongHost := func(err error) bool { return errors.As(err, new(x509.HostnameError)) }
	good := func(err error) bool { return err == nil }
	now := time.Now()
	tests := []struct {
		name    string
		options CertificateOptions
		want    func(error) bool
	}{
		{"default", CertificateOptions{}, good},
		{"expired", CertificateOptions{NotAfter: now.Add(-time.Hour)}, expired},
		{"not yet valid", CertificateOptions{NotBefore: now.Add(time.Hour)}, expired},
		{"another host", CertificateOptions{Hosts: []string{"hmp.example", "192.0.2.1"}}, wrongHost},
		{"common name only", CertificateOptions{Hosts: []string{"127.0.0.1"}, CommonNameOnly: true}, wrongHost},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			authority, cert := testAuthority(t, tt.options)
			c := startWith(t, New(), ListenConfig{Certificate: &cert})
			c.trust(authority.PEM())
			if got := c.get("token"); !tt.want(got.err) {
				t.Errorf("status %d, error %v", got.status, got.err)
			}
		})
	}
}

func TestSelfSigned(t *testing.T) {
	cert, pem, err := SelfSigned(CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c := startWith(t, New(), ListenConfig{Certificate: &cert})
	c.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	if got := c.get("token"); !errors.As(got.err, new(x509.UnknownAuthorityError)) {
		t.Errorf("without its PEM: error %v, want an unknown authority", got.err)
	}
	c = startWith(t, New(), ListenConfig{Certificate: &cert})
	c.trust(pem)
	if got := c.get("token"); got.err != nil {
		t.Errorf("with its PEM: %v", got.err)
	}
}

func TestHTTP2IsAnOption(t *testing.T) {
	authority, cert := testAuthority(t, CertificateOptions{})
	for _, on := range []bool{false, true} {
		c := startWith(t, New(), ListenConfig{Certificate: &cert, HTTP2: on})
		c.trust(authority.PEM())
		resp, err := c.client.Get(c.listening.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.ProtoMajor == 2; got != on {
			t.Errorf("offered: %v, but the answer is %s", on, resp.Proto)
		}
	}
}

func TestConnections(t *testing.T) {
	for _, keepAlive := range []bool{false, true} {
		c := startWith(t, New(), ListenConfig{})
		c.client.Transport.(*http.Transport).DisableKeepAlives = !keepAlive
		for range 3 {
			if got := c.get("token"); got.status != http.StatusUnauthorized {
				t.Fatalf("status %d, error %v, want 401", got.status, got.err)
			}
		}
		want := 3
		if keepAlive {
			want = 1
		}
		if got := c.listening.Connections(); got != want {
			t.Errorf("kept alive: %v: %d connections, want %d", keepAlive, got, want)
		}
		c.client.CloseIdleConnections()
	}
}

func TestPipeListenerClosed(t *testing.T) {
	c := start(t, New())
	c.listening.Close()
	if got := c.get("token"); got.err == nil {
		t.Errorf("status %d from a closed listener", got.status)
	}
}
