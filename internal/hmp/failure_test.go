package hmp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"hmp_exporter/internal/hmpsim"
)

// TestReasons gives what a reason advises, for failures that troubleshooting.md does not quote.
func TestReasons(t *testing.T) {
	secure := serve(t, answer(200, `{"data":{}}`), func(s *httptest.Server) { s.TLS = new(tls.Config) })
	plain := serve(t, answer(200, `{"data":{}}`))
	alerts := serve(t, raw("\x15\x03\x01\x00\x02\x02\x46"))
	compressed := serve(t, raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"))
	wantsPassword := serve(t, answer(407, ""))
	resets := serve(t, func(w http.ResponseWriter, _ *http.Request) { hmpsim.Reset()(w, nil, hmpsim.Call{}) })
	none := func(*Options) {}
	strange, _ := certified(t)
	stranger := serve(t, answer(200, `{"data":{}}`), func(s *httptest.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{strange}} })
	_, others := certified(t) // of the same name, so Go adds a guess to its error
	for _, tt := range []struct {
		url    string
		change func(*Options)
		want   Result
		reason string
	}{
		{strings.Replace(secure.URL, "https", "http", 1), none, HTTPError, "the server speaks TLS; write https:// in `url`"},
		{alerts.URL, none, Protocol, "the server speaks TLS; write https:// in `url`"},
		{strings.Replace(plain.URL, "http", "https", 1), none, TLS, "the server speaks HTTP without TLS; write http:// in `url`"},
		{strings.Replace(alerts.URL, "http", "https", 1), none, TLS, "the server speaks HTTP without TLS; write http:// in `url`"},
		{stranger.URL, func(o *Options) { o.TLS = &tls.Config{RootCAs: others} }, TLS, "signed by unknown authority; if the HMP signed its certificate itself, give it as tls_config.ca_file"},
		{stranger.URL, caFile(others, nil), TLS, "the certificate is not signed by the CA in ca.pem; the HMP's certificate may be new"},
		{stranger.URL, caFile(nil, errors.New("ca.pem: no such file")), TLS, "ca.pem: no such file"},
		{stranger.URL, func(o *Options) { o.Proxy = func(*http.Request) (*url.URL, error) { return nil, errors.New("x") } }, Connect, "the URL of the proxy is malformed"},
		{strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), trust(secure), TLS, "or set tls_config.server_name to one it has"},
		{compressed.URL, none, BadPayload, "the body is compressed (Content-Encoding: gzip)"},
		{"http://hmp.example", through(wantsPassword.URL), HTTPError, "the proxy asks for a user and a password (407)"},
		{"https://hmp.example", through(wantsPassword.URL), Connect, "write them in proxy_url, or a Proxy-Authorization in proxy_connect_header"},
		{"http://hmp.example", through("http://127.0.0.1:1"), Connect, "the proxy: dial tcp 127.0.0.1:1: connect: connection refused"},
		{"http://127.0.0.1:1", none, Connect, "dial tcp 127.0.0.1:1: connect: connection refused"},
		{"http://hmp..example", none, DNS, "lookup hmp..example: no such host"},
		{serve(t, raw("")).URL, none, Protocol, "the connection was closed before the answer was complete"},
		{resets.URL, none, Protocol, "the connection was reset"},
		{serve(t, raw("SSH-2.0\r\n\r\n")).URL, none, Protocol, "the answer is not valid HTTP, or its header is too large"},
		{serve(t, raw("HTTP/1.1 200 OK\r\nA: "+strings.Repeat("a", maxHeaderSize))).URL, none, Protocol, "the answer is not valid HTTP, or its header is too large"},
	} {
		a := ask(t, tt.url, plenty, tt.change)
		if a.Result != tt.want || !strings.Contains(a.Reason, tt.reason) {
			t.Errorf("%s: got %s (%s), want %s with %q", tt.url, a.Result, a.Reason, tt.want, tt.reason)
		}
	}
}

// caFile makes a client trust the certificates of a file.
func caFile(roots *x509.CertPool, err error) func(*Options) {
	return func(o *Options) {
		o.CA, o.RootCAs = "the CA in ca.pem", func(context.Context) (*x509.CertPool, error) { return roots, err }
	}
}

// TestReasonsOfAnswers gives the reason for an answer to a GET and to a login.
func TestReasonsOfAnswers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), plenty)
	defer cancel()
	const stranger, proxy = "something else than HMP may have answered", "a proxy before the HMP asks for a user and a password (407)"
	for _, tt := range []struct {
		status           int
		body, get, login string
	}{
		{200, `{"data":{}}`, "", "the login's answer has no authToken"},
		{200, `{"data":{"authToken":"a b"}}`, "", "the login's answer has an authToken that is not fit for a header"},
		{200, `{}`, string(errNoData), string(errNoData)},
		{200, `{"code":"020002"}`, string(errNoData), ""},
		{200, `<html>`, string(errNotAnObject), string(errNotAnObject)},
		{200, `{"data":{}`, "the body ends early", "the body ends early"},
		{200, `{"data":{}}` + strings.Repeat(" ", 1<<20), string(errTooLarge), string(errTooLarge)},
		{400, `{"code":"030001"}`, "HMP itself answered: status 400, code 030001", stranger},
		{401, `{"code":"020002"}`, "", ""},
		{401, `<html>`, "", stranger},
		{403, `{"code":"030001"}`, "HMP itself answered: status 403, code 030001", stranger},
		{403, `{"code":"020001"}`, "HMP itself answered: status 403, code 020001 UserNotAuthorized", ""},
		{404, `<html>`, "", ""},
		{407, `<html>`, proxy, proxy},
		{500, `{"code":"CANARY"}`, "", ""},
		{500, `{"code":"020002"}`, "HMP itself answered: status 500, code 020002 InvalidCredentials", "HMP itself answered: status 500, code 020002 InvalidCredentials"},
	} {
		for method, want := range map[string]string{http.MethodGet: tt.get, http.MethodPost: tt.login} {
			c := &call{options: &Options{URL: new(url.URL), MaxBodySize: 1 << 20}, method: method}
			var a Answer
			resp := response(uint16(tt.status), []byte(tt.body))
			defer resp.Body.Close()
			if _, _ = c.read(ctx, resp, &a); a.Reason != want {
				t.Errorf("%s: %d with %.40s: got %q, want %q", method, tt.status, tt.body, a.Reason, want)
			}
		}
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

// The reason is the alert of the server, whichever goroutine of net/http was first to see it.
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

// Each reason names a setting. With that setting, the same server gives a valid session.
func TestSettingsForOldServers(t *testing.T) {
	speak := func(c *tls.Config) *httptest.Server {
		return serve(t, answer(200, `{"data":{}}`), func(s *httptest.Server) { s.TLS = c })
	}
	none := func(*Options) {}
	// The key share for post-quantum key exchange makes a ClientHello long.
	stop := make(chan struct{})
	firewall := &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedCurves, tls.X25519MLKEM768) {
			<-stop
		}
		return nil, nil
	}}
	negative := &tls.Config{Certificates: []tls.Certificate{negativeSerial(t)}}
	for name, tt := range map[string]struct {
		server  *httptest.Server
		want    Result
		reason  string
		godebug string
		change  func(*Options)
	}{
		"RSA key exchange only": {
			speak(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}),
			TLS, "start the exporter with GODEBUG=tlsrsakex=1", "tlsrsakex=1", none,
		},
		"a negative serial number": {
			speak(&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return negative, nil }}), // httptest would read it
			TLS, "start the exporter with GODEBUG=x509negativeserial=1", "x509negativeserial=1", none,
		},
		"TLS 1.1 at most": {
			speak(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}),
			TLS, "set tls_config.min_version to TLS10", "", func(o *Options) { o.TLS.MinVersion = tls.VersionTLS10 },
		},
		"a firewall that drops a long ClientHello": {
			speak(firewall), Timeout, "try tls_config.max_version: TLS12", "", func(o *Options) { o.TLS.MaxVersion = tls.VersionTLS12 },
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
	close(stop)
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

// The reason says whose certificate has expired, and when.
func TestReasonsOfExpiredCertificates(t *testing.T) {
	now := time.Now()
	good := &x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	expired := &x509.Certificate{NotAfter: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)}
	early := &x509.Certificate{NotBefore: time.Date(2201, 2, 3, 4, 5, 6, 0, time.UTC), NotAfter: now.Add(time.Hour)}
	invalid := x509.CertificateInvalidError{Reason: x509.Expired, Cert: expired}
	for got, want := range map[string]string{
		handshakeReason(invalid, new(mask)):                 "the HMP's certificate expired at 2001-02-03T04:05:06Z; renew it on the HMP",
		validityReason("it", early):                         "it is not valid before 2201-02-03T04:05:06Z; compare the clocks of the HMP and of the exporter's machine",
		authorityReason([]*x509.Certificate{good, expired}): "a CA certificate that the HMP sends expired at 2001-02-03T04:05:06Z; renew it on the HMP",
		authorityReason([]*x509.Certificate{good}):          "the certificate of the HMP's CA has expired or is not yet valid; renew it in tls_config.ca_file",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCertificateExpiry(t *testing.T) {
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
