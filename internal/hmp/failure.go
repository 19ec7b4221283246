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

// What fails on this side is told as this side's: [Saturated], with what is lacking.

// shortages are the errors of a system that lacks what a connection or a file takes,
// and what to do. Of two texts that begin alike the longer one stands first.
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

// Shortage tells what the machine or the exporter itself lacked if that is why err
// happened, and what to do; "" if it is not. err is of opening a file or a connection.
func Shortage(err error) string {
	dns, isLookup := errors.AsType[*net.DNSError](err)
	for _, s := range shortages {
		// A lookup keeps only the text of what it failed for.
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

// failure tells where an attempt without an answer broke off. How far it had
// come says more than the error, which net/http wraps in many ways.
func (t *timeline) failure(err error) Result {
	_, isLookup := errors.AsType[*net.DNSError](err)
	_, isCA := errors.AsType[caError](err)
	switch {
	case Shortage(err) != "":
		return Saturated // it says nothing of the HMP
	case isCA:
		return TLS
	case alert(err) != nil: // in TLS 1.3 a client's certificate is refused after the handshake
		return TLS
	case isLookup:
		return DNS
	case t.reached(gotConn):
		return Protocol
	case t.inTLS(), t.inProxyTLS():
		return TLS
	default:
		return Connect
	}
}

func (t *timeline) inTLS() bool      { return t.reached(tlsStart) && !t.reached(tlsDone) }
func (t *timeline) inProxyTLS() bool { return t.reached(proxyTLSStart) && !t.reached(proxyTLSDone) }

// reason says why an attempt broke off. It passes on the texts of errors that this side
// wrote and of certificates, masked; never what a server sent as HTTP.
func (t *attempt) reason(at *timeline, err error, m *mask) string {
	text := func(err error) string { return m.sentence(err.Error()) }
	atProxy := t.proxy != nil && !at.reached(gotConn) && !at.reached(tlsStart)
	who, whose, field := "the server", "", "`url`"
	if t.proxy != nil {
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
	if at.inProxyTLS() {
		return "the TLS handshake with the proxy failed: " + text(err) + "; look at the proxy's certificate and the scheme of proxy_url"
	}
	if a := alert(err); a != nil && atProxy {
		return "the proxy ended the TLS connection: " + text(a)
	}
	if ca, ok := errors.AsType[caError](err); ok {
		return text(ca)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok && t.ca != "" {
		return "the certificate is not signed by " + t.ca + "; the HMP's certificate may be new"
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
	case t.dialed.speaksTLS() && at.handshakes == 0:
		return who + " speaks TLS; write https:// in " + field
	case atProxy:
		return "the proxy did not make the connection"
	case strings.Contains(err.Error(), "GOAWAY"), strings.HasPrefix(err.Error(), "stream error:"): // of HTTP/2
		return "the server gave the connection up before it answered"
	case errors.Is(err, syscall.ECONNRESET):
		return "the connection was reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), err.Error() == "http: server closed idle connection":
		return "the connection was closed before the answer was complete"
	case isErrno:
		return text(op)
	case at.inTLS(): // only the handshake and the certificate have been received
		return text(err)
	case !at.reached(gotConn):
		return "no connection could be made"
	default:
		return "the answer is not valid HTTP, or its header is too large"
	}
}

// speaksTLS tells whether the first bytes on a connection are an alert of TLS.
func (c *conn) speaksTLS() bool { return c != nil && c.head.Load() == 1<<16|0x15<<8|0x03 }

// A proxyRefusal is the status that a proxy answered a CONNECT with.
type proxyRefusal int

func (r proxyRefusal) Error() string {
	if r == http.StatusProxyAuthRequired {
		return "the proxy asks for a user and a password (407); write them in proxy_url, or a Proxy-Authorization in proxy_connect_header"
	}
	return fmt.Sprintf("the proxy did not make the connection: it answered %d to CONNECT; see the proxy's log", int(r))
}

// alert returns what tells that the server ended TLS with an alert, whose type
// crypto/tls keeps to itself; nil if it did not. What net/http wraps around it
// depends on which of its goroutines was first.
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

// handshakeReason explains an error of TLS, with a hint for what HMPs are known
// for: certificates that nobody signed, and that name an address in the CN only.
// A certificate decides how long its part of the text is, but not whether the hint
// is there. It returns "" for any other error.
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

// validityReason tells of a certificate whose time is over, or has not come.
func validityReason(whose string, c *x509.Certificate) string {
	if time.Now().Before(c.NotBefore) {
		return whose + " is not valid before " + c.NotBefore.UTC().Format(time.RFC3339) + "; compare the clocks of the HMP and of the exporter's machine"
	}
	return whose + " expired at " + c.NotAfter.UTC().Format(time.RFC3339) + "; renew it on the HMP"
}

// authorityReason tells of a chain in which the certificate of an authority is not valid now.
func authorityReason(presented []*x509.Certificate) string {
	for _, c := range presented {
		if now := time.Now(); now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return validityReason("a CA certificate that the HMP sends", c)
		}
	}
	return "the certificate of the HMP's CA has expired or is not yet valid; renew it in tls_config.ca_file"
}

// alertHint says what to do about an alert that old servers send.
func alertHint(a error) string {
	switch text := a.Error(); {
	case strings.HasSuffix(text, "tls: handshake failure"):
		return "; if the HMP supports only RSA key exchange, start the exporter with GODEBUG=tlsrsakex=1"
	case strings.HasSuffix(text, "tls: protocol version not supported"):
		return "; if the HMP supports only TLS 1.1 or older, set tls_config.min_version to TLS10"
	}
	return ""
}

// timeoutReason explains a timeout in which not a byte came back for the ClientHello;
// it returns "" for any other. Go's needs two packets, for post-quantum key exchange.
func (t *attempt) timeoutReason(at *timeline) string {
	if !at.inTLS() || t.dialed.head.Load() != 0 {
		return ""
	}
	return "the server did not answer the ClientHello; a firewall may drop a long one: try tls_config.max_version: TLS12, which sends a short one"
}
