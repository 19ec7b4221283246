package faults

import (
	"io"
	"net"
	"sync"

	"hmp_exporter/internal/hmp"
)

func proxyRows() []row {
	noTunnel := failed(hmp.Connect, 0)
	const established = "HTTP/1.1 200 Connection established\r\n\r\n"
	return []row{
		{name: "the proxy works, to https", prepare: proxyToTLS(tunnel), want: healthy().certificate()},
		{name: "the proxy refuses connections", prepare: func(s *setup) {
			refused(s)
			s.configure("proxy_url: %s", s.url)
			s.url = "https://hmp.test"
		}, want: noTunnel},
		{name: "the proxy's name does not exist", prepare: func(s *setup) {
			s.url = "https://hmp.test"
			s.configure("proxy_url: http://nxdomain.test.:3128")
		}, want: failed(hmp.DNS, 0)},

		{name: "the proxy has TLS and works, to https", prepare: func(s *setup) {
			s.secure = true
			s.target(good())
			s.configure("proxy_url: https://%s", s.other(anyPort, goodTLS(), tunnel(s)).address())
		}, want: healthy().certificate()},
		{name: "the proxy has TLS and refuses", prepare: func(s *setup) {
			s.url = "https://hmp.test"
			s.configure("proxy_url: https://%s", s.other(anyPort, goodTLS(), page(403, "<html></html>")).address())
			s.trust(authority().PEM())
		}, want: noTunnel},
		{name: "the proxy's certificate is not trusted", prepare: func(s *setup) {
			s.url = "https://hmp.test"
			s.configure("proxy_url: https://%s", s.other(anyPort, goodTLSFor("other.test"), page(403, "<html></html>")).address())
			s.trust(authority().PEM())
		}, want: failed(hmp.TLS, 0)},
		{name: "the proxy has TLS and works, to http", prepare: func(s *setup) {
			s.targetTLS(goodTLS(), good())
			s.configure("proxy_url: %s", s.url)
			s.url = "http://hmp.test"
			s.trust(authority().PEM())
		}, want: healthy()},
		{name: "CONNECT is answered with 407", prepare: connectProxy(page(407, "<html></html>", "Proxy-Authenticate: Basic realm=proxy")), want: noTunnel},
		{name: "CONNECT is answered with 403", prepare: connectProxy(page(403, "<html></html>")), want: noTunnel},
		{name: "CONNECT is answered with 502", prepare: connectProxy(page(502, "<html></html>")), want: noTunnel},
		{name: "CONNECT is answered with 302", prepare: func(s *setup) {
			trap := s.trap(anyPort).address()
			connectProxy(page(302, "", "Location: http://"+trap+"/"))(s)
		}, want: noTunnel},
		{name: "CONNECT is not answered", prepare: connectProxy(onRequest((*peer).hang)), want: failed(hmp.Timeout, 0).lasts()},
		{name: "CONNECT is answered with something that is not HTTP", prepare: connectProxy(answers("220 mail.test ESMTP\r\n\r\n")), want: noTunnel},
		{name: "CONNECT is answered with endless headers", prepare: connectProxy(endlessHeaders()), want: noTunnel},
		{name: "closed after CONNECT", prepare: connectProxy(onRequest((*peer).closeTCP)), want: noTunnel},
		{name: "reset after CONNECT", prepare: connectProxy(onRequest((*peer).reset)), want: noTunnel},

		{name: "200 to CONNECT, then no TLS", prepare: connectProxy(answersThen(established, afterHello(func(p *peer) { p.write("220 mail.test ESMTP\r\n"); p.hang() }))), want: failed(hmp.TLS, 0)},
		{name: "200 to CONNECT, then a session without TLS", prepare: connectProxy(answersThen(established, afterHello(func(p *peer) { p.write(response(200, session())); p.hang() }))), want: failed(hmp.TLS, 0)},
		{name: "200 to CONNECT with other bytes after it", prepare: connectProxy(answersThen(established+"220 mail.test ESMTP\r\n", (*peer).hang)), want: failed(hmp.Timeout, 0).lasts()},
		{name: "200 to CONNECT, then closed", prepare: connectProxy(answersThen(established, afterHello((*peer).closeTCP))), want: failed(hmp.TLS, 0)},
		{name: "200 to CONNECT, then nothing", prepare: connectProxy(answersThen(established, (*peer).hang)), want: failed(hmp.Timeout, 0).lasts()},
		{name: "200 to CONNECT, connected to a server with another certificate", prepare: proxyToTLS(impostor), want: failed(hmp.TLS, 0).certificate()},

		{name: "the proxy works, to http", prepare: httpProxy(good()), want: healthy()},
		{name: "the proxy wants a password, to http", prepare: httpProxy(page(407, "<html></html>", "Proxy-Authenticate: Basic realm=proxy")), want: answered(hmp.HTTPError, 407)},
		{name: "the proxy cannot reach the HMP, to http", prepare: httpProxy(page(502, "<html></html>")), want: answered(hmp.HTTPError, 502)},
		{name: "the proxy hangs, to http", prepare: httpProxy(onRequest((*peer).hang)), want: failed(hmp.Timeout, 1).lasts()},
	}
}

// connectProxy sets a proxy with a script for CONNECT. It must not receive a secret.
func connectProxy(sc script) func(*setup) {
	return func(s *setup) {
		s.url = "https://hmp.test"
		s.configure("proxy_url: http://%s", s.other(anyPort, nil, sc).address())
		s.trust(authority().PEM())
	}
}

// proxyToTLS sets a proxy for a target with TLS.
func proxyToTLS(proxy func(s *setup) script) func(*setup) {
	return func(s *setup) {
		s.secure = true
		s.target(good())
		s.configure("proxy_url: http://%s", s.other(anyPort, nil, proxy(s)).address())
	}
}

// tunnel returns a proxy that connects to the target.
func tunnel(s *setup) script { return tunnelTo(s.server.address()) }

// impostor returns a proxy that connects to another server.
func impostor(s *setup) script {
	return tunnelTo(s.other(anyPort, goodTLSFor("other.test"), good()).address())
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
		s.configure("proxy_url: %s", s.url)
		s.url = "http://hmp.test"
	}
}
