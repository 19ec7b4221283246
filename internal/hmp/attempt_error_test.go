package hmp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"hmp_exporter/internal/hmpsim"
)

// TestReasonsOfFailedAttempts has the failures that troubleshooting.md does not quote.
func TestReasonsOfFailedAttempts(t *testing.T) {
	secure := serve(t, answer(200, `{"data":{}}`), func(s *httptest.Server) { s.TLS = new(tls.Config) })
	plain := serve(t, answer(200, `{"data":{}}`))
	alerts := serve(t, raw("\x15\x03\x01\x00\x02\x02\x46"))
	compressed := serve(t, raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"))
	wantsPassword := serve(t, answer(407, ""))
	resets := serve(t, func(w http.ResponseWriter, _ *http.Request) { hmpsim.Reset()(w, nil, hmpsim.Call{}) })
	none := func(*Options) {}
	untrusted, _ := certified(t)
	untrustedServer := serve(t, answer(200, `{"data":{}}`), func(s *httptest.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{untrusted}} })
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
		{untrustedServer.URL, func(o *Options) { o.TLS = &tls.Config{RootCAs: others} }, TLS, "signed by unknown authority; if the HMP signed its certificate itself, give it as tls_config.ca_file"},
		{untrustedServer.URL, caFile(others, nil), TLS, "the certificate is not signed by the CA in ca.pem; the HMP's certificate may be new"},
		{untrustedServer.URL, caFile(nil, errors.New("ca.pem: no such file")), TLS, "ca.pem: no such file"},
		{untrustedServer.URL, func(o *Options) { o.Proxy = func(*http.Request) (*url.URL, error) { return nil, errors.New("x") } }, Connect, "the URL of the proxy is malformed"},
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
