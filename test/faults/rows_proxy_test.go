package faults

import (
	"io"
	"net"
	"sync"

	"hmp_exporter/internal/hmp"
)

func proxyRows() []row {
	no := failed(hmp.Connect, 0)
	const made = "HTTP/1.1 200 Connection established\r\n\r\n"
	return []row{
		{name: "the proxy works, to https", set: proxyToTLS(tunnel), want: healthy().certificate()},
		{name: "the proxy refuses connections", set: func(s *setup) {
			refused(s)
			s.set("proxy_url: %s", s.url)
			s.url = "https://hmp.test"
		}, want: no},
		{name: "the proxy's name does not exist", set: func(s *setup) {
			s.url = "https://hmp.test"
			s.set("proxy_url: http://nxdomain.test.:3128")
		}, want: failed(hmp.DNS, 0)},

		{name: "the proxy has TLS and works, to https", set: func(s *setup) {
			s.secure = true
			s.target(good())
			s.set("proxy_url: https://%s", s.other("127.0.0.1:0", goodTLS(), tunnel(s)).address())
		}, want: healthy().certificate()},
		{name: "the proxy has TLS and refuses", set: func(s *setup) {
			s.url = "https://hmp.test"
			s.set("proxy_url: https://%s", s.other("127.0.0.1:0", goodTLS(), page(403, "<html></html>")).address())
			s.trust(authority().PEM())
		}, want: no},
		{name: "the proxy's certificate is not trusted", set: func(s *setup) {
			s.url = "https://hmp.test"
			s.set("proxy_url: https://%s", s.other("127.0.0.1:0", goodTLSFor("other.test"), page(403, "<html></html>")).address())
			s.trust(authority().PEM())
		}, want: failed(hmp.TLS, 0)},
		{name: "the proxy has TLS and works, to http", set: func(s *setup) {
			s.targetTLS(goodTLS(), good())
			s.set("proxy_url: %s", s.url)
			s.url = "http://hmp.test"
			s.trust(authority().PEM())
		}, want: healthy()},
		{name: "CONNECT is answered with 407", set: connectProxy(page(407, "<html></html>", "Proxy-Authenticate: Basic realm=proxy")), want: no},
		{name: "CONNECT is answered with 403", set: connectProxy(page(403, "<html></html>")), want: no},
		{name: "CONNECT is answered with 502", set: connectProxy(page(502, "<html></html>")), want: no},
		{name: "CONNECT is answered with 302", set: func(s *setup) {
			trap := s.trap("127.0.0.1:0").address()
			connectProxy(page(302, "", "Location: http://"+trap+"/"))(s)
		}, want: no},
		{name: "CONNECT is not answered", set: connectProxy(onRequest((*peer).hang)), want: failed(hmp.Timeout, 0).lasts()},
		{name: "CONNECT is answered with something that is not HTTP", set: connectProxy(answers("220 mail.test ESMTP\r\n\r\n")), want: no},
		{name: "CONNECT is answered with endless headers", set: connectProxy(endlessHeaders()), want: no},
		{name: "closed after CONNECT", set: connectProxy(onRequest((*peer).closeTCP)), want: no},
		{name: "reset after CONNECT", set: connectProxy(onRequest((*peer).reset)), want: no},

		{name: "200 to CONNECT, then no TLS", set: connectProxy(answersThen(made, afterHello(func(p *peer) { p.write("220 mail.test ESMTP\r\n"); p.hang() }))), want: failed(hmp.TLS, 0)},
		{name: "200 to CONNECT, then a session without TLS", set: connectProxy(answersThen(made, afterHello(func(p *peer) { p.write(response(200, session())); p.hang() }))), want: failed(hmp.TLS, 0)},
		{name: "200 to CONNECT with other bytes after it", set: connectProxy(answersThen(made+"220 mail.test ESMTP\r\n", (*peer).hang)), want: failed(hmp.Timeout, 0).lasts()},
		{name: "200 to CONNECT, then closed", set: connectProxy(answersThen(made, afterHello((*peer).closeTCP))), want: failed(hmp.TLS, 0)},
		{name: "200 to CONNECT, then nothing", set: connectProxy(answersThen(made, (*peer).hang)), want: failed(hmp.Timeout, 0).lasts()},
		{name: "200 to CONNECT, connected to a server with another certificate", set: proxyToTLS(impostor), want: failed(hmp.TLS, 0).certificate()},

		{name: "the proxy works, to http", set: httpProxy(good()), want: healthy()},
		{name: "the proxy wants a password, to http", set: httpProxy(page(407, "<html></html>", "Proxy-Authenticate: Basic realm=proxy")), want: answered(hmp.HTTPError, 407)},
		{name: "the proxy cannot reach the HMP, to http", set: httpProxy(page(502, "<html></html>")), want: answered(hmp.HTTPError, 502)},
		{name: "the proxy hangs, to http", set: httpProxy(onRequest((*peer).hang)), want: failed(hmp.Timeout, 1).lasts()},
	}
}

// connectProxy sets a proxy with a script, which must not receive a secret.
func connectProxy(sc script) func(*setup) {
	return func(s *setup) {
		s.url = "https://hmp.test"
		s.set("proxy_url: http://%s", s.other("127.0.0.1:0", nil, sc).address())
		s.trust(authority().PEM())
	}
}

// proxyToTLS sets a proxy for a target with TLS.
func proxyToTLS(proxy func(s *setup) script) func(*setup) {
	return func(s *setup) {
		s.secure = true
		s.target(good())
		s.set("proxy_url: http://%s", s.other("127.0.0.1:0", nil, proxy(s)).address())
	}
}

// tunnel returns a proxy that connects to the target.
func tunnel(s *setup) script { return tunnelTo(s.server.address()) }

// impostor returns a proxy that connects to another server.
func impostor(s *setup) script {
	return tunnelTo(s.other("127.0.0.1:0", goodTLSFor("other.test"), good()).address())
}

func tunnelTo(address string) script {
	return answersThen("HTTP/1.1 200 Connection established\r\n\r\n", func(p *peer) {
		onward, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		var back sync.WaitGroup
		back.Go(func() {
			_, _ = io.Copy(p.Conn, onward)
			_ = p.Conn.(interface{ CloseWrite() error }).CloseWrite()
		})
		_, _ = io.Copy(onward, p.in)
		_ = onward.(*net.TCPConn).CloseWrite()
		back.Wait()
		_ = onward.Close()
	})
}

// httpProxy sets a proxy for a target without TLS. The proxy receives and forwards the secret.
func httpProxy(sc script) func(*setup) {
	return func(s *setup) {
		s.target(sc)
		s.set("proxy_url: %s", s.url)
		s.url = "http://hmp.test"
	}
}
