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
		{name: "the proxy does its work, to https", set: proxied(tunnel), want: valid().messages(goodMessages).certificate()},
		{name: "the proxy refuses connections", set: func(s *stage) {
			refused(s)
			s.set("proxy_url: %s", s.url)
			s.url = "https://hmp.test"
		}, want: no},
		{name: "the proxy's name does not exist", set: func(s *stage) {
			s.url = "https://hmp.test"
			s.set("proxy_url: http://nxdomain.test.:3128")
		}, want: failed(hmp.DNS, 0)},

		{name: "the proxy has TLS and does its work, to https", set: func(s *stage) {
			s.secure = true
			s.target(good())
			s.set("proxy_url: https://%s", s.other("127.0.0.1:0", goodTLS(), tunnel(s)).address())
		}, want: valid().messages(goodMessages).certificate()},
		{name: "the proxy has TLS and refuses", set: func(s *stage) {
			s.url = "https://hmp.test"
			s.set("proxy_url: https://%s", s.other("127.0.0.1:0", goodTLS(), page(403, "<html></html>")).address())
			s.trust(authority().PEM())
		}, want: no},
		{name: "the proxy's certificate is not trusted", set: func(s *stage) {
			s.url = "https://hmp.test"
			s.set("proxy_url: https://%s", s.other("127.0.0.1:0", goodTLSFor("other.test"), page(403, "<html></html>")).address())
			s.trust(authority().PEM())
		}, want: failed(hmp.TLS, 0)},
		{name: "the proxy has TLS and does its work, to http", set: func(s *stage) {
			s.targetTLS(goodTLS(), good())
			s.set("proxy_url: %s", s.url)
			s.url = "http://hmp.test"
			s.trust(authority().PEM())
		}, want: valid().messages(goodMessages)},
		{name: "CONNECT is answered with 407", set: tunnelled(page(407, "<html></html>", "Proxy-Authenticate: Basic realm=proxy")), want: no},
		{name: "CONNECT is answered with 403", set: tunnelled(page(403, "<html></html>")), want: no},
		{name: "CONNECT is answered with 502", set: tunnelled(page(502, "<html></html>")), want: no},
		{name: "CONNECT is answered with 302", set: func(s *stage) {
			trap := s.trap("127.0.0.1:0").address()
			tunnelled(page(302, "", "Location: http://"+trap+"/"))(s)
		}, want: no},
		{name: "CONNECT is not answered", set: tunnelled(does((*peer).hold)), want: failed(hmp.Timeout, 0).lasts()},
		{name: "CONNECT is answered with what is not HTTP", set: tunnelled(says("220 mail.test ESMTP\r\n\r\n")), want: no},
		{name: "CONNECT is answered with endless headers", set: tunnelled(endlessHeaders()), want: no},
		{name: "closed upon CONNECT", set: tunnelled(does((*peer).cut)), want: no},
		{name: "reset upon CONNECT", set: tunnelled(does((*peer).reset)), want: no},

		{name: "200 to CONNECT, and then something else", set: tunnelled(saysAnd(made, greeted(func(p *peer) { p.say("220 mail.test ESMTP\r\n"); p.hold() }))), want: failed(hmp.TLS, 0)},
		{name: "200 to CONNECT, and then a session in clear", set: tunnelled(saysAnd(made, greeted(func(p *peer) { p.say(response(200, session())); p.hold() }))), want: failed(hmp.TLS, 0)},
		{name: "200 to CONNECT, with something else behind it", set: tunnelled(saysAnd(made+"220 mail.test ESMTP\r\n", (*peer).hold)), want: failed(hmp.Timeout, 0).lasts()},
		{name: "200 to CONNECT, and then closed", set: tunnelled(saysAnd(made, greeted((*peer).cut))), want: failed(hmp.TLS, 0)},
		{name: "200 to CONNECT, and then nothing", set: tunnelled(saysAnd(made, (*peer).hold)), want: failed(hmp.Timeout, 0).lasts()},
		{name: "200 to CONNECT, to somebody whose certificate is another's", set: proxied(impostor), want: failed(hmp.TLS, 0).certificate()},

		{name: "the proxy does its work, to http", set: forwarded(good()), want: valid().messages(goodMessages)},
		{name: "the proxy wants a password, to http", set: forwarded(page(407, "<html></html>", "Proxy-Authenticate: Basic realm=proxy")), want: answered(hmp.HTTPError, 407)},
		{name: "the proxy cannot reach the HMP, to http", set: forwarded(page(502, "<html></html>")), want: answered(hmp.HTTPError, 502)},
		{name: "the proxy hangs, to http", set: forwarded(does((*peer).hold)), want: failed(hmp.Timeout, 1).lasts()},
	}
}

// tunnelled puts a proxy before the target, that does to the bare connection what
// a script says. No secret is for it.
func tunnelled(sc script) func(*stage) {
	return func(s *stage) {
		s.url = "https://hmp.test"
		s.set("proxy_url: http://%s", s.other("127.0.0.1:0", nil, sc).address())
		s.trust(authority().PEM())
	}
}

// proxied puts a proxy before a target with TLS that is made for it.
func proxied(proxy func(s *stage) script) func(*stage) {
	return func(s *stage) {
		s.secure = true
		s.target(good())
		s.set("proxy_url: http://%s", s.other("127.0.0.1:0", nil, proxy(s)).address())
	}
}

// tunnel is a proxy that connects to the target.
func tunnel(s *stage) script { return tunnelTo(s.origin.address()) }

// impostor is a proxy that connects to somebody else.
func impostor(s *stage) script {
	return tunnelTo(s.other("127.0.0.1:0", goodTLSFor("other.test"), good()).address())
}

func tunnelTo(address string) script {
	return saysAnd("HTTP/1.1 200 Connection established\r\n\r\n", func(p *peer) {
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

// forwarded puts a proxy before a target without TLS. It is told the secret, as
// what forwards it.
func forwarded(sc script) func(*stage) {
	return func(s *stage) {
		s.target(sc)
		s.set("proxy_url: %s", s.url)
		s.url = "http://hmp.test"
	}
}
