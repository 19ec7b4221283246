package faults

import (
	"crypto/tls"
	"slices"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

func tlsRows() []row {
	refused := failed(hmp.TLS, 1).certificate()
	broken := failed(hmp.TLS, 1)
	const plainToTLS = "<html><h1>400 Bad Request</h1><p>The plain HTTP request was sent to HTTPS port</p></html>"
	return []row{
		{name: "nothing is wrong", set: certified(hmpsim.CertificateOptions{}), want: valid().messages(goodMessages).certificate()},

		{name: "the certificate has expired", set: certified(hmpsim.CertificateOptions{NotAfter: time.Now().Add(-time.Hour)}), want: refused},
		{name: "the certificate is not valid yet", set: certified(hmpsim.CertificateOptions{NotBefore: time.Now().Add(time.Hour)}), want: refused},
		{name: "the certificate is for another host", set: certified(hmpsim.CertificateOptions{Hosts: []string{"other.test"}}), want: refused},
		{name: "the certificate names the host in its CN only", set: certified(hmpsim.CertificateOptions{Hosts: []string{"127.0.0.1"}, CommonNameOnly: true}), want: refused},
		{name: "the certificate is self-signed", set: selfSigned(false), want: refused},
		{name: "the certificate is self-signed, and is the ca_file", set: selfSigned(true), want: valid().messages(goodMessages).certificate()},
		{name: "the certificate's authority is unknown", set: func(s *stage) { s.targetTLS(goodTLS(), good()) }, want: refused},
		{name: "a chain of certificates of 260 kB", set: serverTLS(func(c *tls.Config) {
			chain := &c.Certificates[0].Certificate
			leaf := (*chain)[0]
			*chain = slices.Repeat([][]byte{leaf}, 260<<10/len(leaf))
		}), want: broken},

		{name: "TLS 1.1 at most", set: serverTLS(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), want: broken},
		{name: "no cipher in common", set: serverTLS(func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}
		}), want: broken},
		{name: "a client certificate is required, TLS 1.2", set: serverTLS(func(c *tls.Config) {
			c.MaxVersion, c.ClientAuth = tls.VersionTLS12, tls.RequireAnyClientCert
		}), want: broken},
		{name: "a client certificate is required, TLS 1.3", set: serverTLS(func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }), want: refused},

		{name: "plain HTTP at an https URL", set: rawTLS(good()), want: broken},
		{name: "something else at an https URL", set: rawTLS(func(p *peer) { p.say("220 mail.test ESMTP\r\n"); p.hold() }), want: broken},
		{name: "closed in the handshake", set: rawTLS(greeted((*peer).cut)), want: broken},
		{name: "reset in the handshake", set: rawTLS(greeted((*peer).reset)), want: broken},
		{name: "stall in the handshake", set: rawTLS(greeted((*peer).hold)), want: failed(hmp.Timeout, 1).lasts()},
		{name: "an alert in the handshake", set: rawTLS(greeted(func(p *peer) { p.say("\x15\x03\x03\x00\x02\x02\x28") })), want: broken},
		{name: "an endless handshake", set: rawTLS(greeted(endlessHandshake)), want: broken},

		{name: "TLS at an http URL, which sends an alert", set: tlsAtHTTP, want: failed(hmp.Protocol, 1)},
		{name: "TLS at an http URL, which answers 400", script: page(400, plainToTLS),
			want: answered(hmp.HTTPError, 400)},

		{name: "reset in the body, under TLS", set: secure(saysAnd(head(200, "Content-Length: 100")+`{"data":`, (*peer).reset)), want: answered(hmp.BadPayload, 200).certificate()},
		{name: "cut off in a body without a length, under TLS", set: secure(saysAnd(head(200)+`{"data":{`, (*peer).cut)), want: answered(hmp.BadPayload, 200).certificate()},
		{name: "reset before the headers, under TLS", set: secure(does((*peer).reset)), want: failed(hmp.Protocol, 1).certificate()},
		{name: "stall before the headers, under TLS", set: secure(does((*peer).hold)), want: failed(hmp.Timeout, 1).certificate().lasts()},
		{name: "stall in the body, under TLS", set: secure(saysAnd(head(200)+`{"data":{`, (*peer).hold)), want: answered(hmp.Timeout, 200).certificate().lasts()},
	}
}

// certified makes the target one with a certificate of the authority that it trusts.
func certified(o hmpsim.CertificateOptions) func(*stage) {
	return func(s *stage) {
		s.targetTLS(signed(o), good())
		s.trust(authority().PEM())
	}
}

// secure makes the target one with TLS and a script.
func secure(sc script) func(*stage) {
	return func(s *stage) {
		s.secure = true
		s.target(sc)
	}
}

// serverTLS makes the target one whose TLS is good but for what change does to it.
func serverTLS(change func(*tls.Config)) func(*stage) {
	return func(s *stage) {
		config := signed(hmpsim.CertificateOptions{})
		change(config)
		s.targetTLS(config, good())
		s.trust(authority().PEM())
	}
}

func selfSigned(trusted bool) func(*stage) {
	return func(s *stage) {
		certificate, pem, err := hmpsim.SelfSigned(hmpsim.CertificateOptions{})
		if err != nil {
			s.t.Fatal(err)
		}
		s.targetTLS(&tls.Config{Certificates: []tls.Certificate{certificate}}, good())
		if trusted {
			s.trust(pem)
		}
	}
}

// rawTLS gives the target an https URL, at which a script speaks to the bare connection.
func rawTLS(sc script) func(*stage) {
	return func(s *stage) {
		s.target(sc)
		s.url = "https://" + s.origin.address()
	}
}

// greeted does something once the client has begun the handshake.
func greeted(then func(p *peer)) script {
	return func(p *peer) {
		if _, err := p.in.Peek(5); err == nil {
			_, _ = p.in.Discard(p.in.Buffered())
			then(p)
		}
	}
}

// endlessHandshake sends records of a handshake message that never ends.
func endlessHandshake(p *peer) {
	record := append([]byte("\x16\x03\x03\x40\x00\x02\xff\xff\xff"), make([]byte, 16<<10-4)...)
	p.repeat(string(record), -1)
}

// tlsAtHTTP gives the target an http URL, at which there is TLS.
func tlsAtHTTP(s *stage) {
	s.targetTLS(goodTLS(), good())
	s.url = "http://" + s.origin.address()
}
