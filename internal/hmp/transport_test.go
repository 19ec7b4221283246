package hmp

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/internal/secret"

	"hmp_exporter/internal/hmpsim"
)

// A kept connection is not used for longer than maxConnectionAge.
func TestConnectionAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := hmpsim.New()
		sim.SetToken(canaryToken, hmpsim.Valid(hmpsim.ExampleSession()))
		pipe := hmpsim.ListenPipe()
		l, err := sim.Start(hmpsim.ListenConfig{Listener: pipe})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		u, err := url.Parse(l.URL)
		if err != nil {
			t.Fatal(err)
		}
		c := NewClient(Options{URL: u, KeepAlive: true, MaxBodySize: 1 << 20, Dial: pipe.DialContext})
		defer c.Close()

		const every = time.Minute
		for minute := range 11 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			if a, _ := c.Session(ctx, Request{Token: secret.New(canaryToken)}); a.Result != Valid {
				t.Fatalf("minute %d: %+v", minute, a)
			}
			cancel()
			if want, got := 1+minute/5, l.Connections(); got != want {
				t.Errorf("minute %d: %d connections so far, want %d", minute, got, want)
			}
			<-time.After(every)
		}
	})
}

// A client that was closed while it was in use keeps no connection.
func TestClosedClientKeepsNothing(t *testing.T) {
	var connections atomic.Int32
	s := httptest.NewUnstartedServer(answer(200, `{"data":{}}`))
	s.Config.ConnState = countNew(&connections)
	s.Start()
	defer s.Close()
	u, _ := url.Parse(s.URL)
	c := NewClient(Options{URL: u, KeepAlive: true, MaxBodySize: 1 << 20})
	c.Close()
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if a, _ := c.Session(ctx, Request{Token: secret.New(canaryToken)}); a.Result != Valid {
			t.Fatalf("%+v", a)
		}
		cancel()
	}
	if n := connections.Load(); n != 3 {
		t.Errorf("it made %d connections, want 3", n)
	}
}

func TestHTTP2(t *testing.T) {
	for name, allowed := range map[string]bool{"allowed": true, "not allowed": false} {
		t.Run(name, func(t *testing.T) {
			var connections, requests atomic.Int32
			var protocol atomic.Value
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				protocol.Store(r.Proto)
				if requests.Add(1) == 2 {
					envelope(500, "070000", "x")(w, r)
					return
				}
				answer(200, `{"data":{}}`)(w, r)
			}))
			s.EnableHTTP2 = true
			s.Config.ConnState = countNew(&connections)
			s.StartTLS()
			defer s.Close()
			u, _ := url.Parse(s.URL)
			o := Options{URL: u, KeepAlive: true, HTTP2: allowed, MaxBodySize: 1 << 20}
			trust(s)(&o)
			c := NewClient(o)
			defer c.Close()
			for i, want := range []Result{Valid, InternalError, Valid, Valid} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if a, _ := c.Session(ctx, Request{Token: secret.New(canaryToken)}); a.Result != want || a.CertificateExpiry.IsZero() {
					t.Errorf("request %d: got %+v, want %s", i, a, want)
				}
				cancel()
			}
			want := map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"}[allowed]
			if got := protocol.Load(); got != want {
				t.Errorf("it speaks %v, want %s", got, want)
			}
			if n := connections.Load(); n != 2 {
				t.Errorf("it made %d connections, want a second one after the failure", n)
			}
		})
	}
}

func countNew(connections *atomic.Int32) func(net.Conn, http.ConnState) {
	return func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
}

// The transport lets a dial go on that nobody waits for. It must end all the same,
// or a silent host would gather them.
func TestDialEndsWithTheDeadline(t *testing.T) {
	closed := make(chan struct{})
	address := listen(t, func(c net.Conn) {
		go func() {
			_, _ = io.Copy(io.Discard, c) // the client's half of a handshake, then the end
			close(closed)
		}()
	})
	if a := ask(t, "https://"+address, hung); a.Result != Timeout || a.Phases.TLS <= 0 {
		t.Errorf("got %+v, want a timeout in the handshake", a)
	}
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Error("the connection is still open")
	}
}

// Through a proxy the token goes to the HMP alone.
func TestProxy(t *testing.T) {
	s := httptest.NewTLSServer(answer(200, `{"data":{}}`))
	defer s.Close()
	var connect atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connect.Store(r.Header.Clone())
		tunnel(w, r.Host)
	}))
	defer proxy.Close()
	a := ask(t, s.URL, plenty, func(o *Options) {
		o.TLS = &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
		u, _ := url.Parse(proxy.URL)
		o.Proxy = http.ProxyURL(u)
		o.ProxyConnectHeader = http.Header{"X-Tenant": {"a"}}
	})
	if a.Result != Valid {
		t.Errorf("got %+v, want valid", a)
	}
	header, _ := connect.Load().(http.Header)
	if header.Get("X-Tenant") != "a" || header.Get("Authorization") != "" {
		t.Errorf("the proxy was sent %v", header)
	}
}

// tunnel joins the client of a CONNECT to an address until one of the two ends.
func tunnel(w http.ResponseWriter, address string) {
	far, err := net.Dial("tcp", address)
	if err != nil {
		panic(err)
	}
	near, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(far, near)
		_ = far.Close()
	}()
	_, _ = io.Copy(near, far)
	_ = near.Close()
}
