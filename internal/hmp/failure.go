package hmp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// Rule: if the exporter or its machine lacks a resource, the result is [Saturated].

// shortages are the errors of a system that lacks a resource, and what to do.
var shortages = []struct {
	errno  syscall.Errno
	advice string
}{
	{syscall.ENFILE, "the machine has no file descriptor left; raise fs.file-max, or find out which program has so many files open"},
	{syscall.EMFILE, "the exporter has no file descriptor left; raise its limit of open files (LimitNOFILE, ulimit -n)"},
	{syscall.ENOBUFS, "the machine has no memory left for network buffers"},
	{syscall.ENOMEM, "the machine has no memory left"},
	{syscall.EADDRNOTAVAIL, "the machine has no local port left; set keep_alive: true, or widen net.ipv4.ip_local_port_range"},
	{syscall.EAGAIN, "the machine has no resources left for a connection, such as local ports; set keep_alive: true, or probe less at once"},
}

// Shortage says which resource the machine or the exporter lacked, and what to do. It
// returns "" if err has another cause. err comes from opening a file or a connection.
func Shortage(err error) string {
	dns, isLookup := errors.AsType[*net.DNSError](err)
	for _, s := range shortages {
		// The error of a lookup has only the text of its cause.
		if !errors.Is(err, s.errno) && !(isLookup && strings.HasSuffix(dns.Err, s.errno.Error())) {
			continue
		}
		if s.errno == syscall.EADDRNOTAVAIL && strings.Contains(err.Error(), "[::1]:") {
			return "" // the machine has no IPv6
		}
		return fmt.Sprintf("%v: %s", s.errno, s.advice)
	}
	return ""
}

// failure returns the result of an attempt without an answer. The phase it reached says more
// than the error, which net/http wraps in many ways.
func (a *attempt) failure(err error) Result {
	_, isLookup := errors.AsType[*net.DNSError](err)
	_, isCA := errors.AsType[caError](err)
	switch {
	case Shortage(err) != "":
		return Saturated
	case isCA:
		return TLS
	case alert(err) != nil: // in TLS 1.3 a client's certificate is refused after the handshake
		return TLS
	case isLookup:
		return DNS
	case a.reached(gotConn):
		return Protocol
	case a.inTLS(), a.inProxyTLS():
		return TLS
	default:
		return Connect
	}
}

func (a *attempt) inTLS() bool      { return a.reached(tlsStart) && !a.reached(tlsDone) }
func (a *attempt) inProxyTLS() bool { return a.reached(proxyTLSStart) && !a.reached(proxyTLSDone) }

// reason says why an attempt failed. It uses texts of local errors and of certificates,
// masked, and never what a server sent as HTTP.
func (a *attempt) reason(err error, m *mask) string {
	text := func(err error) string { return m.sentence(err.Error()) }
	atProxy := a.proxy != nil && !a.reached(gotConn) && !a.reached(tlsStart)
	who, whose, field := "the server", "", "`url`"
	if a.proxy != nil {
		who, whose, field = "the proxy", "the proxy's name: ", "proxy_url"
	}
	if lack := Shortage(err); lack != "" {
		return lack
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return whose + text(dns)
	}
	if refusal, ok := errors.AsType[proxyRefusal](err); ok {
		return refusal.Error()
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		err = op.Err
	}
	if a.inProxyTLS() {
		return "the TLS handshake with the proxy failed: " + text(err) + "; look at the proxy's certificate and the scheme of proxy_url"
	}
	if remote := alert(err); remote != nil && atProxy {
		return "the proxy ended the TLS connection: " + text(remote)
	}
	if ca, ok := errors.AsType[caError](err); ok {
		return text(ca)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok && a.ca != "" {
		return "the certificate is not signed by " + a.ca + "; the HMP's certificate may be new"
	}
	if reason := handshakeReason(err, m); reason != "" {
		return reason
	}
	op, isErrno := errors.AsType[*net.OpError](err)
	if isErrno {
		_, isErrno = errors.AsType[syscall.Errno](op)
	}
	switch {
	case isErrno && atProxy:
		return "the proxy: " + text(op)
	case a.dialed.speaksTLS() && a.handshakes == 0:
		return who + " speaks TLS; write https:// in " + field
	case atProxy:
		return "the proxy did not make the connection"
	case strings.Contains(err.Error(), "GOAWAY"), strings.HasPrefix(err.Error(), "stream error:"): // of HTTP/2
		return "the server closed the connection before it answered"
	case errors.Is(err, syscall.ECONNRESET):
		return "the connection was reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), err.Error() == "http: server closed idle connection":
		return "the connection was closed before the answer was complete"
	case isErrno:
		return text(op)
	case a.inTLS(): // only the handshake and the certificate have been received
		return text(err)
	case !a.reached(gotConn):
		return "no connection could be made"
	default:
		return "the answer is not valid HTTP, or its header is too large"
	}
}

// speaksTLS reports whether the first bytes on a connection are a TLS alert.
func (c *conn) speaksTLS() bool { return c != nil && c.firstBytes.Load() == 1<<16|0x15<<8|0x03 }

// A proxyRefusal is the status of a proxy's answer to CONNECT, if it is not 200.
type proxyRefusal int

func (r proxyRefusal) Error() string {
	if r == http.StatusProxyAuthRequired {
		return "the proxy asks for a user and a password (407); write them in proxy_url, or a Proxy-Authorization in proxy_connect_header"
	}
	return fmt.Sprintf("the proxy did not make the connection: it answered %d to CONNECT; see the proxy's log", int(r))
}

// alert returns the error of a TLS alert from the server, or nil. crypto/tls does not export
// its type, and net/http wraps it in different ways.
func alert(err error) error {
	for err != nil {
		op, ok := errors.AsType[*net.OpError](err)
		if !ok {
			return nil
		}
		if op.Op == "remote error" {
			return op
		}
		err = op.Err
	}
	return nil
}

// handshakeReason explains a TLS error. It has hints for what is common with HMPs:
// self-signed certificates, and certificates with the address in the CN only. The text of a
// certificate is shortened, so that the hint is always there. It returns "" for any other
// error.
func handshakeReason(err error, m *mask) string {
	refused, isRefused := errors.AsType[*tls.CertificateVerificationError](err)
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return validityReason("the HMP's certificate", e.Cert)
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		if isRefused && strings.Contains(e.Error(), "has expired or is not yet valid") { // an authority's
			return authorityReason(refused.UnverifiedCertificates)
		}
		// Go adds what it tried with other certificates; that helps nobody here.
		what, _, _ := strings.Cut(e.Error(), " (possibly because of ")
		return m.sentence(what) + "; if the HMP signed its certificate itself, give it as tls_config.ca_file"
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return m.sentence(e.Error()) + "; reissue the certificate with this name among its subject alternative names, or set tls_config.server_name to one it has"
	}
	if isRefused {
		return m.sentence(refused.Error())
	}
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		if strings.HasPrefix(string(e.RecordHeader[:]), "HTTP/") {
			return "the server speaks HTTP without TLS; write http:// in `url`"
		}
		return "the server does not speak TLS; check the port, or write http:// in `url`"
	}
	if a := alert(err); a != nil {
		return m.sentence(a.Error()) + alertHint(a)
	}
	if err != nil && strings.Contains(err.Error(), "x509: negative serial number") {
		return "the HMP's certificate has a negative serial number; reissue it, or start the exporter with GODEBUG=x509negativeserial=1"
	}
	return ""
}

// validityReason explains a certificate that is expired or not yet valid.
func validityReason(whose string, c *x509.Certificate) string {
	if time.Now().Before(c.NotBefore) {
		return whose + " is not valid before " + c.NotBefore.UTC().Format(time.RFC3339) + "; compare the clocks of the HMP and of the exporter's machine"
	}
	return whose + " expired at " + c.NotAfter.UTC().Format(time.RFC3339) + "; renew it on the HMP"
}

// authorityReason explains a chain with a CA certificate that is not valid now.
func authorityReason(presented []*x509.Certificate) string {
	for _, c := range presented {
		if now := time.Now(); now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return validityReason("a CA certificate that the HMP sends", c)
		}
	}
	return "the certificate of the HMP's CA has expired or is not yet valid; renew it in tls_config.ca_file"
}

// alertHint says what to do about an alert of an old server.
func alertHint(a error) string {
	switch text := a.Error(); {
	case strings.HasSuffix(text, "tls: handshake failure"):
		return "; if the HMP supports only RSA key exchange, start the exporter with GODEBUG=tlsrsakex=1"
	case strings.HasSuffix(text, "tls: protocol version not supported"):
		return "; if the HMP supports only TLS 1.1 or older, set tls_config.min_version to TLS10"
	}
	return ""
}

// timeoutReason explains a timeout without any answer to the ClientHello. It returns "" for
// any other timeout. Go's ClientHello needs two packets for post-quantum key exchange.
func (a *attempt) timeoutReason() string {
	if !a.inTLS() || a.dialed.firstBytes.Load() != 0 {
		return ""
	}
	return "the server did not answer the ClientHello; a firewall may drop a long one: try tls_config.max_version: TLS12, which sends a short one"
}
