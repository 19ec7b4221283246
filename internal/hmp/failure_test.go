package hmp

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFailuresToConnect(t *testing.T) {
	silent := listen(t, func(net.Conn) {})
	closing := listen(t, func(c net.Conn) { _ = c.(*net.TCPConn).CloseWrite() })
	plain := httptest.NewServer(answer(200, `{"data":{}}`))
	defer plain.Close()
	secure := httptest.NewTLSServer(answer(200, `{"data":{}}`))
	defer secure.Close()
	refusingProxy := httptest.NewServer(answer(407, ""))
	defer refusingProxy.Close()
	throughProxy := func(o *Options) {
		u, _ := url.Parse(refusingProxy.URL)
		o.Proxy = http.ProxyURL(u)
	}
	old := httptest.NewUnstartedServer(answer(200, `{"data":{}}`))
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()

	tests := []struct {
		name   string
		base   string
		change []func(*Options)
		want   Result
		reason string // a part of it
		status int
	}{
		{name: "dns: no such host", base: "https://hmp..example", want: DNS, reason: "lookup hmp..example: no such host"},
		{name: "connect: refused", base: "https://127.0.0.1:1", want: Connect, reason: "connection refused"},
		{name: "connect: the proxy refuses", base: "https://hmp.example", change: []func(*Options){throughProxy}, want: Connect, reason: "proxy"},
		{name: "tls: signed by nobody", base: secure.URL, want: TLS, reason: "ca_file"},
		{name: "tls: another name", base: strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), change: []func(*Options){trust(secure)}, want: TLS, reason: "server_name"},
		{name: "tls: no version in common", base: old.URL, want: TLS, reason: "protocol version"},
		{name: "tls: the far side speaks HTTP", base: strings.Replace(plain.URL, "http:", "https:", 1), want: TLS, reason: "http://"},
		{name: "tls: the far side hangs up", base: "https://" + closing, want: TLS, reason: "the connection was"},
		{name: "timeout: in the handshake", base: "https://" + silent, want: Timeout},
		{name: "http_error: the far side speaks TLS", base: strings.Replace(secure.URL, "https:", "http:", 1), want: HTTPError, status: 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			within := plenty
			if tt.want == Timeout {
				within = hung
			}
			got := ask(t, tt.base, within, tt.change...)
			if got.Result != tt.want || got.Responded != (tt.status != 0) || got.StatusCode != tt.status {
				t.Errorf("got %+v, want outcome %s and status %d", got, tt.want, tt.status)
			}
			if !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("got reason %q, want one with %q", got.Reason, tt.reason)
			}
		})
	}
}

// listen accepts connections and keeps them open until the end of the test.
func listen(t *testing.T, accepted func(net.Conn)) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			accepted(c)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

func trust(s *httptest.Server) func(*Options) {
	return func(o *Options) { o.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig }
}

func TestCertificateExpiry(t *testing.T) {
	s := httptest.NewTLSServer(answer(200, `{"data":{}}`))
	defer s.Close()
	want := s.Certificate().NotAfter
	if a := ask(t, s.URL, plenty, trust(s)); a.Result != Valid || !a.CertificateExpiry.Equal(want) {
		t.Errorf("accepted: got %s and %v, want %v", a.Result, a.CertificateExpiry, want)
	}
	if a := ask(t, s.URL, plenty); a.Result != TLS || !a.CertificateExpiry.Equal(want) {
		t.Errorf("refused: got %s and %v, want %v", a.Result, a.CertificateExpiry, want)
	}
}

// A certificate can have any number of names; the hint is there all the same.
func TestLongCertificateKeepsItsHint(t *testing.T) {
	names := make([]string, 50) // from a hundred on, Go only counts them
	for i := range names {
		names[i] = fmt.Sprintf("hmp-%d.studio.example", i)
	}
	got := handshakeReason(x509.HostnameError{Certificate: &x509.Certificate{DNSNames: names}, Host: "hmp.example"}, newMask().present)
	if !strings.HasSuffix(got, "or set tls_config.server_name to one it has") {
		t.Errorf("got %q without its hint", got)
	}
	if n := utf8.RuneCountInString(got); n > 2*MaxMessageLength {
		t.Errorf("the reason has %d characters", n)
	}
}

// The reason is the far side's alert, whichever goroutine of net/http was first to see it.
func TestReasonOfAlert(t *testing.T) {
	bare := error(&net.OpError{Op: "remote error", Err: tls.AlertError(116)})
	for _, err := range []error{bare, fmt.Errorf("readLoopPeekFailLocked: %w", bare)} {
		if got, want := handshakeReason(err, newMask().present), "remote error: tls: certificate required"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
