package faults

import (
	"crypto/tls"
	"slices"
	"sync"
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

func tlsRows() []row {
	refused := failed(hmp.TLS, 1).certificate()
	broken := failed(hmp.TLS, 1)
	const plainToTLS = "<html><h1>400 Bad Request</h1><p>The plain HTTP request was sent to HTTPS port</p></html>"
	return []row{
		{name: "no fault", prepare: certificateWith(hmpsim.CertificateOptions{}), want: healthy().certificate()},

		{name: "the certificate has expired", prepare: certificateWith(hmpsim.CertificateOptions{NotAfter: time.Now().Add(-time.Hour)}), want: refused},
		{name: "the certificate is not valid yet", prepare: certificateWith(hmpsim.CertificateOptions{NotBefore: time.Now().Add(time.Hour)}), want: refused},
		{name: "the certificate is for another host", prepare: certificateWith(hmpsim.CertificateOptions{Hosts: []string{"other.test"}}), want: refused},
		{name: "the certificate names the host in its CN only", prepare: certificateWith(hmpsim.CertificateOptions{Hosts: []string{"127.0.0.1"}, CommonNameOnly: true}), want: refused},
		{name: "the certificate is self-signed", prepare: selfSigned(false), want: refused},
		{name: "the certificate is self-signed, and is the ca_file", prepare: selfSigned(true), want: healthy().certificate()},
		{name: "the certificate's authority is unknown", prepare: func(s *setup) { s.targetTLS(goodTLS(), good()) }, want: refused},
		{name: "a chain of certificates of 260 kB", prepare: serverTLS(func(c *tls.Config) {
			chain := &c.Certificates[0].Certificate
			leaf := (*chain)[0]
			*chain = slices.Repeat([][]byte{leaf}, 260<<10/len(leaf))
		}), want: broken},

		{name: "TLS 1.1 at most", prepare: serverTLS(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), want: broken},
		{name: "no cipher in common", prepare: serverTLS(func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}
		}), want: broken},
		{name: "a client certificate is required, TLS 1.2", prepare: serverTLS(func(c *tls.Config) {
			c.MaxVersion, c.ClientAuth = tls.VersionTLS12, tls.RequireAnyClientCert
		}), want: broken},
		{name: "a client certificate is required, TLS 1.3", prepare: serverTLS(func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }), want: refused},

		{name: "plain HTTP at an https URL", prepare: rawTLS(good()), want: broken},
		{name: "another protocol at an https URL", prepare: rawTLS(func(p *peer) { p.write("220 mail.test ESMTP\r\n"); p.hang() }), want: broken},
		{name: "closed in the handshake", prepare: rawTLS(afterHello((*peer).closeTCP)), want: broken},
		{name: "reset in the handshake", prepare: rawTLS(afterHello((*peer).reset)), want: broken},
		{name: "stall in the handshake", prepare: rawTLS(afterHello((*peer).hang)), want: failed(hmp.Timeout, 1).lasts()},
		{name: "an alert in the handshake", prepare: rawTLS(afterHello(func(p *peer) { p.write("\x15\x03\x03\x00\x02\x02\x28") })), want: broken},
		{name: "an endless handshake", prepare: rawTLS(afterHello(endlessHandshake)), want: broken},

		{name: "TLS at an http URL, which sends an alert", prepare: tlsAtHTTP, want: failed(hmp.Protocol, 1)},
		{name: "TLS at an http URL, which answers 400", script: page(400, plainToTLS),
			want: answered(hmp.HTTPError, 400)},

		{name: "reset in the body, under TLS", prepare: secure(answersThen(head(200, "Content-Length: 100")+`{"data":`, (*peer).reset)), want: answered(hmp.BadPayload, 200).certificate()},
		{name: "cut off in a body without a length, under TLS", prepare: secure(answersThen(head(200)+`{"data":{`, (*peer).closeTCP)), want: answered(hmp.BadPayload, 200).certificate()},
		{name: "reset before the headers, under TLS", prepare: secure(onRequest((*peer).reset)), want: failed(hmp.Protocol, 1).certificate()},
		{name: "stall before the headers, under TLS", prepare: secure(onRequest((*peer).hang)), want: failed(hmp.Timeout, 1).certificate().lasts()},
		{name: "stall in the body, under TLS", prepare: secure(answersThen(head(200)+`{"data":{`, (*peer).hang)), want: answered(hmp.Timeout, 200).certificate().lasts()},
	}
}

// certificateWith gives the target a certificate of the trusted authority.
func certificateWith(o hmpsim.CertificateOptions) func(*setup) {
	return func(s *setup) {
		s.targetTLS(signed(o), good())
		s.trust(authority().PEM())
	}
}

// secure gives the target TLS and a script.
func secure(sc script) func(*setup) {
	return func(s *setup) {
		s.secure = true
		s.target(sc)
	}
}

// serverTLS gives the target a correct TLS configuration with a change.
func serverTLS(change func(*tls.Config)) func(*setup) {
	return func(s *setup) {
		config := signed(hmpsim.CertificateOptions{})
		change(config)
		s.targetTLS(config, good())
		s.trust(authority().PEM())
	}
}

func selfSigned(trusted bool) func(*setup) {
	return func(s *setup) {
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

// rawTLS gives the target an https URL. Its script uses the TCP connection.
func rawTLS(sc script) func(*setup) {
	return func(s *setup) {
		s.target(sc)
		s.url = "https://" + s.server.address()
	}
}

// afterHello returns a script that calls then after the client began the handshake.
func afterHello(then func(p *peer)) script {
	return func(p *peer) {
		if _, err := p.in.Peek(5); err == nil {
			_, _ = p.in.Discard(p.in.Buffered())
			then(p)
		}
	}
}

// endlessHandshake sends an endless handshake message.
func endlessHandshake(p *peer) {
	record := append([]byte("\x16\x03\x03\x40\x00\x02\xff\xff\xff"), make([]byte, 16<<10-4)...)
	p.repeat(string(record), -1)
}

// tlsAtHTTP gives a target with TLS an http URL.
func tlsAtHTTP(s *setup) {
	s.targetTLS(goodTLS(), good())
	s.url = "http://" + s.server.address()
}

// authority signs the certificates of trusted servers.
var authority = sync.OnceValue(func() *hmpsim.Authority {
	a, err := hmpsim.NewAuthority()
	if err != nil {
		panic(err)
	}
	return a
})

// goodTLS is the TLS configuration of a correct server.
var goodTLS = sync.OnceValue(func() *tls.Config { return signed(hmpsim.CertificateOptions{}) })

// signed returns a TLS configuration with a certificate of the authority.
func signed(o hmpsim.CertificateOptions) *tls.Config {
	certificate, err := authority().Certificate(o)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}}
}

// goodTLSFor returns a correct TLS configuration for another host.
func goodTLSFor(host string) *tls.Config {
	return signed(hmpsim.CertificateOptions{Hosts: []string{host}})
}
