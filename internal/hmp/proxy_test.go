package hmp

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/hmpsim"
)

func TestProxyWithTLS(t *testing.T) {
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(100 * time.Hour).Truncate(time.Second)
	ofHMP, err := authority.Certificate(hmpsim.CertificateOptions{NotAfter: end})
	if err != nil {
		t.Fatal(err)
	}
	ofProxy, err := authority.Certificate(hmpsim.CertificateOptions{NotAfter: end.Add(-90 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	untrusted, _, err := hmpsim.SelfSigned(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	start := func(c tls.Certificate, h http.HandlerFunc) *httptest.Server {
		return serve(t, h, func(s *httptest.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{c}} })
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	hmp := start(ofHMP, answer(200, `{"data":{}}`))
	var connect atomic.Value
	joins := func(w http.ResponseWriter, r *http.Request) {
		connect.Store(r.Header.Clone())
		tunnel(w, r.Host)
	}
	for _, tt := range []struct {
		name, url   string
		proxy       *httptest.Server
		want        Result
		certificate time.Time
		reason      string
	}{
		{"it connects", hmp.URL, start(ofProxy, joins), Valid, end, ""},
		{"it forwards to an http HMP", "http://hmp.example", start(ofProxy, answer(200, `{"data":{}}`)), Valid, time.Time{}, ""},
		{"it refuses", hmp.URL, start(ofProxy, answer(403, "no")), Connect, time.Time{}, "403"},
		{"it wants a password", hmp.URL, start(ofProxy, answer(407, "no")), Connect, time.Time{}, "proxy_url"},
		{"nobody knows its authority", hmp.URL, start(untrusted, joins), TLS, time.Time{}, "with the proxy"},
		{"it does not speak TLS", hmp.URL, serve(t, joins), TLS, time.Time{}, "with the proxy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := ask(t, tt.url, plenty, func(o *Options) {
				o.TLS, o.ProxyConnectHeader = &tls.Config{RootCAs: roots}, http.Header{"X-Tenant": {"a"}}
			}, through("https://"+tt.proxy.Listener.Addr().String()))
			if a.Result != tt.want || !a.CertificateExpiry.Equal(tt.certificate) {
				t.Errorf("got %s and a certificate that ends at %v, want %s and %v", a.Result, a.CertificateExpiry, tt.want, tt.certificate)
			}
			if !strings.Contains(a.Reason, tt.reason) || strings.Contains(a.Reason, "ca_file") {
				t.Errorf("got reason %q, want one with %q and nothing about the HMP's certificate", a.Reason, tt.reason)
			}
		})
	}
	// The token goes to the HMP alone.
	header, _ := connect.Load().(http.Header)
	if header.Get("X-Tenant") != "a" || header.Get("Authorization") != "" {
		t.Errorf("the proxy was sent %v", header)
	}
}

// A user without a password is often a token.
func TestProxyUserIsMasked(t *testing.T) {
	for user, want := range map[string]string{
		"CANARY%2Fproxy-token@":       "Server: <secret> <secret> ok",
		"public:CANARY%2Fpassword-1@": "Server: <secret> <secret> ok",
	} {
		proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
			basic := strings.TrimPrefix(r.Header.Get("Proxy-Authorization"), "Basic ")
			plain, _ := base64.StdEncoding.DecodeString(basic)
			w.Header().Set("Server", basic+" "+string(plain)+" ok")
			answer(200, `{"data":{}}`)(w, r)
		})
		a := ask(t, "http://hmp.example", plenty, through(strings.Replace(proxy.URL, "//", "//"+user, 1)))
		if a.Result != Valid || !strings.Contains(string(a.Exchanges[0].Response), want) {
			t.Errorf("%s: got %+v, want valid with %q", user, a, want)
		}
	}
}

// tunnel joins the client of a CONNECT to an address until one of the two ends.
func tunnel(w http.ResponseWriter, address string) {
	server, err := net.Dial("tcp", address)
	if err != nil {
		panic(err)
	}
	client, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
}

func TestPhasesBehindAProxy(t *testing.T) {
	for name, tt := range map[string]struct {
		scheme, answer string // to CONNECT, or to the GET
		want           Phases
	}{
		"the proxy hangs":             {"https", "", Phases{Connect: callTimeout}},
		"the HMP's handshake hangs":   {"https", "HTTP/1.1 200 OK\r\n\r\n", Phases{Connect: 3 * time.Second, TLS: callTimeout - 3*time.Second}},
		"the proxy breaks off midway": {"https", "HTTP/1.1 200 ", Phases{Connect: callTimeout}},
		"the answer hangs":            {"http", "", Phases{Processing: callTimeout}},
		"the body hangs":              {"http", "HTTP/1.1 200 OK\r\n\r\n{", Phases{Processing: 3 * time.Second, Transfer: callTimeout - 3*time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClient(t, tt.scheme+"://hmp.example", through("http://proxy.example"), func(o *Options) {
					o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
						attemptOf(ctx).record(connectStart) // as the dialer of net does
						client, server := net.Pipe()
						go func() {
							defer server.Close()
							if _, err := http.ReadRequest(bufio.NewReader(server)); err == nil && tt.answer != "" {
								<-time.After(3 * time.Second)
								_, _ = io.WriteString(server, tt.answer)
							}
							_, _ = io.Copy(io.Discard, server)
						}()
						return client, nil
					}
				})
				ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
				defer cancel()
				a, _ := session(ctx, c)
				if a.Result != Timeout || a.Phases != tt.want {
					t.Errorf("got %s with %+v, want a timeout with %+v", a.Result, a.Phases, tt.want)
				}
			})
		})
	}
}
