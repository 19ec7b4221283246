package hmp

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"hmp_exporter/internal/hmpsim"
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
				t.Errorf("got %+v, want result %s and status %d", got, tt.want, tt.status)
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
	got := handshakeReason(x509.HostnameError{Certificate: &x509.Certificate{DNSNames: names}, Host: "hmp.example"}, new(mask))
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
		if got, want := handshakeReason(err, new(mask)), "remote error: tls: certificate required"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestShortage(t *testing.T) {
	dialed := func(address string, lack error) error {
		to, _ := net.ResolveTCPAddr("tcp", address)
		return &net.OpError{Op: "dial", Net: "tcp", Addr: to, Err: os.NewSyscallError("connect", lack)}
	}
	for _, tt := range []struct {
		err    error
		want   Result
		reason string
	}{
		{dialed("127.0.0.1:1", syscall.EMFILE), Saturated, "raise its limit of open files"},
		{dialed("127.0.0.1:1", syscall.ENFILE), Saturated, "fs.file-max"},
		{dialed("127.0.0.1:1", syscall.ENOBUFS), Saturated, "memory"},
		{dialed("127.0.0.1:1", syscall.ENOMEM), Saturated, "memory"},
		{dialed("127.0.0.1:1", syscall.EADDRNOTAVAIL), Saturated, "local port"},
		{dialed("127.0.0.1:1", syscall.EAGAIN), Saturated, "local ports"},
		{dialed("[::1]:1", syscall.EADDRNOTAVAIL), Connect, "cannot assign requested address"}, // there is no IPv6
		{dialed("127.0.0.1:1", syscall.ECONNREFUSED), Connect, "connection refused"},
		{&net.DNSError{Name: "hmp.example", Err: "dial udp 10.0.0.1:53: socket: too many open files"}, Saturated, "raise its limit"},
		{&net.DNSError{Name: "hmp.example", Err: "no such host"}, DNS, "no such host"},
		{errors.New("something else"), Connect, "no connection could be made"},
	} {
		a := ask(t, "http://127.0.0.1:1", plenty, func(o *Options) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, tt.err }
		})
		if a.Result != tt.want || !strings.Contains(a.Reason, tt.reason) {
			t.Errorf("%v: got %s (%s), want %s with %q", tt.err, a.Result, a.Reason, tt.want, tt.reason)
		}
	}
}

func TestReasonsThatHelp(t *testing.T) {
	secure := httptest.NewTLSServer(answer(200, `{"data":{}}`))
	defer secure.Close()
	bare := listen(t, func(c net.Conn) {
		go func() {
			_, _ = bufio.NewReader(c).ReadString('\n')
			_, _ = c.Write([]byte("\x15\x03\x01\x00\x02\x02\x46"))
			_ = c.Close()
		}()
	})
	server := func(h http.HandlerFunc) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	plain := server(answer(200, `{"data":{}}`))
	proxy := func(o *Options) {
		u, _ := url.Parse(server(answer(407, "")))
		o.Proxy = http.ProxyURL(u)
	}
	for name, tt := range map[string]struct {
		url    string
		want   Result
		reason string
		change []func(*Options)
	}{
		"http at a port with TLS that says so": {strings.Replace(secure.URL, "https", "http", 1), HTTPError, "write https:// in `url`", nil},
		"http at a port with TLS that alerts":  {"http://" + bare, Protocol, "write https:// in `url`", nil},
		"https at a port without TLS":          {strings.Replace(plain, "http", "https", 1), TLS, "write http:// in `url`", nil},
		"a compressed body":                    {server(raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")), BadPayload, "Content-Encoding: gzip", nil},
		"407 of a proxy":                       {"http://hmp.example", HTTPError, "the proxy asks for a user and a password", []func(*Options){proxy}},
		"an envelope":                          {server(envelope(400, "030001", "x")), HTTPError, "HMP itself answered: status 400, code 030001", nil},
		"a 403 with an envelope":               {server(envelope(403, "030001", "x")), Unauthorized, "HMP itself answered: status 403, code 030001", nil},
		"a 502":                                {server(answer(502, "<html>")), HTTPError, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := ask(t, tt.url, plenty, tt.change...)
			if a.Result != tt.want || !strings.Contains(a.Reason, tt.reason) || tt.reason == "" && a.Reason != "" {
				t.Errorf("got %s (%s), want %s with %q", a.Result, a.Reason, tt.want, tt.reason)
			}
			if a.Envelope() != strings.Contains(name, "envelope") {
				t.Errorf("it has HMP's envelope: %t", a.Envelope())
			}
		})
	}
}

// Each reason names a setting. With that setting, the same server gives a valid session.
func TestSettingsForOldServers(t *testing.T) {
	serve := func(c *tls.Config, l net.Listener) *httptest.Server {
		s := httptest.NewUnstartedServer(answer(200, `{"data":{}}`))
		s.TLS = c
		if l != nil {
			_ = s.Listener.Close()
			s.Listener = l
		}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	maxVersion := func(version uint16) func(*Options) { return func(o *Options) { o.TLS.MaxVersion = version } }
	minVersion := func(version uint16) func(*Options) { return func(o *Options) { o.TLS.MinVersion = version } }
	none := func(*Options) {}
	negative := &tls.Config{Certificates: []tls.Certificate{negativeSerial(t)}}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		server  *httptest.Server
		want    Result
		reason  string
		godebug string
		change  func(*Options)
	}{
		"RSA key exchange only": {
			serve(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}, nil),
			TLS, "start the exporter with GODEBUG=tlsrsakex=1", "tlsrsakex=1", none,
		},
		"a negative serial number": {
			serve(&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return negative, nil }}, nil), // httptest would read it
			TLS, "start the exporter with GODEBUG=x509negativeserial=1", "x509negativeserial=1", none,
		},
		"TLS 1.1 at most": {
			serve(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, nil),
			TLS, "set tls_config.min_version to TLS10", "", minVersion(tls.VersionTLS10),
		},
		"a firewall that drops a long ClientHello": {
			serve(nil, firewall{tcp}), Timeout, "try tls_config.max_version: TLS12", "", maxVersion(tls.VersionTLS12),
		},
	} {
		t.Run(name, func(t *testing.T) {
			trusted := trust(tt.server)
			if tt.godebug == "x509negativeserial=1" {
				trusted = func(o *Options) { o.TLS = &tls.Config{InsecureSkipVerify: true} } // its signature is of another serial number
			}
			within := plenty
			if tt.want == Timeout {
				within = hung
			}
			if a := ask(t, tt.server.URL, within, trusted); a.Result != tt.want || !strings.Contains(a.Reason, tt.reason) {
				t.Errorf("got %s (%s), want %s with %q", a.Result, a.Reason, tt.want, tt.reason)
			}
			t.Setenv("GODEBUG", tt.godebug)
			if a := ask(t, tt.server.URL, plenty, trusted, tt.change); a.Result != Valid {
				t.Errorf("with the setting: got %s (%s)", a.Result, a.Reason)
			}
		})
	}
}

// negativeSerial returns a certificate that Go refuses to read: its serial number begins with a 1 bit.
func negativeSerial(t *testing.T) tls.Certificate {
	t.Helper()
	made, _, err := hmpsim.SelfSigned(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	serial := made.Leaf.SerialNumber.Bytes()
	der := made.Certificate[0]
	at := bytes.Index(der, serial)
	if serial[0] >= 0x80 {
		at-- // a zero byte keeps it positive
	}
	der[at] |= 0x80
	made.Leaf = nil
	return made
}

// A firewall passes on what a connection begins with if that fits into one packet, and else nothing.
type firewall struct{ net.Listener }

func (l firewall) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &filtered{Conn: c, in: bufio.NewReader(c)}, err
}

type filtered struct {
	net.Conn
	in     *bufio.Reader
	passed bool
}

func (c *filtered) Read(b []byte) (int, error) {
	if !c.passed {
		header, err := c.in.Peek(5)
		if err != nil {
			return 0, err
		}
		if length := binary.BigEndian.Uint16(header[3:]); length > 1400 {
			_, err := io.Copy(io.Discard, c.in) // until the client has hung up
			return 0, cmp.Or(err, io.EOF)
		}
		c.passed = true
	}
	return c.in.Read(b)
}

// The date of an expired certificate is told, and whose it is to renew; a ca_file does not help.
func TestReasonsOfExpiredCertificates(t *testing.T) {
	chain := func(names ...string) (list []*x509.Certificate) {
		for _, name := range names {
			c := &x509.Certificate{NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
			switch name {
			case "expired":
				c.NotAfter = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
			case "early":
				c.NotBefore = time.Date(2201, 2, 3, 4, 5, 6, 0, time.UTC)
			}
			list = append(list, c)
		}
		return list
	}
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	expired, err := authority.Certificate(hmpsim.CertificateOptions{NotAfter: time.Now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(answer(200, `{"data":{}}`))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{expired}}
	s.StartTLS()
	defer s.Close()
	want := "the HMP's certificate expired at " + expired.Leaf.NotAfter.UTC().Format(time.RFC3339) + "; renew it on the HMP"
	if a := ask(t, s.URL, plenty); a.Result != TLS || a.Reason != want {
		t.Errorf("got %s (%s), want %q", a.Result, a.Reason, want)
	}
	if got := validityReason("it", chain("early")[0]); got != "it is not valid before 2201-02-03T04:05:06Z; compare the clocks of the HMP and of the exporter's machine" {
		t.Errorf("got %q", got)
	}
	for want, presented := range map[string][]*x509.Certificate{
		"a CA certificate that the HMP sends expired at 2001-02-03T04:05:06Z; renew it on the HMP":        chain("good", "expired"),
		"the certificate of the HMP's CA has expired or is not yet valid; renew it in tls_config.ca_file": chain("good"),
	} {
		if got := authorityReason(presented); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCertificateExpiryOfChains(t *testing.T) {
	now := time.Now()
	until := func(hours ...int) (chain []*x509.Certificate) {
		for _, h := range hours {
			chain = append(chain, &x509.Certificate{NotAfter: now.Add(time.Duration(h) * time.Hour)})
		}
		return chain
	}
	refused := &tls.CertificateVerificationError{UnverifiedCertificates: until(5, -1, 9), Err: errors.New("expired")}
	for name, tt := range map[string]struct {
		state tls.ConnectionState
		err   error
		want  int
	}{
		"an expired cross-signature that is not needed": {tls.ConnectionState{PeerCertificates: until(5, -1), VerifiedChains: [][]*x509.Certificate{until(5, 90)}}, nil, 5},
		"two chains":   {tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{until(50, 9), until(50, 20), until(50, 10)}}, nil, 20},
		"refused":      {tls.ConnectionState{}, fmt.Errorf("tls: %w", refused), -1},
		"not verified": {tls.ConnectionState{PeerCertificates: until(7, 3)}, nil, 7},
	} {
		if got, want := certificateExpiry(&tt.state, tt.err), now.Add(time.Duration(tt.want)*time.Hour); !got.Equal(want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
