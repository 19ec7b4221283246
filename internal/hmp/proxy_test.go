package hmp

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/secret"
)

func TestProxyWithTLS(t *testing.T) {
	authority, err := hmpsim.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(100 * time.Hour).Truncate(time.Second)
	own, err := authority.Certificate(hmpsim.CertificateOptions{NotAfter: end})
	if err != nil {
		t.Fatal(err)
	}
	proxys, err := authority.Certificate(hmpsim.CertificateOptions{NotAfter: end.Add(-90 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	strangers, _, err := hmpsim.SelfSigned(hmpsim.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	start := func(c tls.Certificate, h http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	hmp := start(own, answer(200, `{"data":{}}`))
	through := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tunnel(w, r.Host) })
	for _, tt := range []struct {
		name, url   string
		proxy       *httptest.Server
		want        Result
		certificate time.Time
		reason      string
	}{
		{"it connects", hmp.URL, start(proxys, through), Valid, end, ""},
		{"it forwards to an http HMP", "http://hmp.example", start(proxys, answer(200, `{"data":{}}`)), Valid, time.Time{}, ""},
		{"it refuses", hmp.URL, start(proxys, answer(403, "no")), Connect, time.Time{}, "403"},
		{"it wants a password", hmp.URL, start(proxys, answer(407, "no")), Connect, time.Time{}, "proxy_url"},
		{"nobody knows its authority", hmp.URL, start(strangers, through), TLS, time.Time{}, "with the proxy"},
		{"it does not speak TLS", hmp.URL, httptest.NewServer(through), TLS, time.Time{}, "with the proxy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer tt.proxy.Close()
			a := ask(t, tt.url, plenty, func(o *Options) {
				o.TLS = &tls.Config{RootCAs: roots}
				u, _ := url.Parse(tt.proxy.URL)
				u.Scheme = "https"
				o.Proxy = http.ProxyURL(u)
			})
			if a.Result != tt.want || !a.CertificateExpiry.Equal(tt.certificate) {
				t.Errorf("got %s and a certificate that ends at %v, want %s and %v", a.Result, a.CertificateExpiry, tt.want, tt.certificate)
			}
			if !strings.Contains(a.Reason, tt.reason) || strings.Contains(a.Reason, "ca_file") {
				t.Errorf("got reason %q, want one with %q and nothing about the HMP's certificate", a.Reason, tt.reason)
			}
		})
	}
}

func TestPhasesBehindAProxy(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string // to CONNECT
		want   Phases
	}{
		"the proxy hangs":             {"", Phases{Connect: callTimeout}},
		"the HMP's handshake hangs":   {"HTTP/1.1 200 OK\r\n\r\n", Phases{Connect: 3 * time.Second, TLS: callTimeout - 3*time.Second}},
		"the proxy breaks off midway": {"HTTP/1.1 200 ", Phases{Connect: callTimeout}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, _ := url.Parse("https://hmp.example")
				c := NewClient(Options{
					URL: u, TLS: &tls.Config{}, MaxBodySize: 1,
					Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.example"}),
					Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
						attemptOf(ctx).mark(connectStart) // as the dialer of net does
						near, far := net.Pipe()
						go func() {
							defer far.Close()
							if _, err := http.ReadRequest(bufio.NewReader(far)); err == nil && tt.answer != "" {
								<-time.After(3 * time.Second)
								_, _ = io.WriteString(far, tt.answer)
							}
							_, _ = io.Copy(io.Discard, far)
						}()
						return near, nil
					},
				})
				defer c.Close()
				ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
				defer cancel()
				a, _ := c.Session(ctx, Request{Token: secret.New(canaryToken)})
				if a.Result != Timeout || a.Phases != tt.want {
					t.Errorf("got %s with %+v, want a timeout with %+v", a.Result, a.Phases, tt.want)
				}
			})
		})
	}
}
