package hmp

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// result returns the result of an attempt that failed without a response. The phase that it
// reached says more than the error, which net/http wraps in many ways.
func (a *attempt) result(err error) Result {
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
	case a.reached(gotConn), a.reached(tlsDone):
		return Protocol
	case a.inTLS(), a.inProxyTLS():
		return TLS
	default:
		return Connect
	}
}

func (a *attempt) inTLS() bool      { return a.reached(tlsStart) && !a.reached(tlsDone) }
func (a *attempt) inProxyTLS() bool { return a.reached(proxyTLSStart) && !a.reached(proxyTLSDone) }

// reason says why the attempt failed. It uses texts of local errors and of certificates,
// masked, and never what a server sent as HTTP.
func (a *attempt) reason(err error, m *mask) string {
	text := func(err error) string { return m.sentence(err.Error()) }
	atProxy := a.proxy != nil && !a.reached(gotConn) && !a.reached(tlsStart)
	peer, prefix, field := "the server", "", "`url`"
	if a.proxy != nil {
		peer, prefix, field = "the proxy", "the proxy's name: ", "proxy_url"
	}
	if shortage := Shortage(err); shortage != "" {
		return shortage
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return prefix + text(dns)
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
	op, isOp := errors.AsType[*net.OpError](err)
	_, isErrno := errors.AsType[syscall.Errno](err)
	isErrno = isErrno && isOp
	switch {
	case isErrno && atProxy:
		return "the proxy: " + text(op)
	case a.dialed.receivedTLSAlert() && a.handshakes == 0:
		return peer + " speaks TLS; write https:// in " + field
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

// timeoutReason explains a timeout while the exporter waited for an answer to the ClientHello. It
// returns "" for any other timeout. Go's ClientHello needs two packets for post-quantum key exchange.
func (a *attempt) timeoutReason() string {
	phases := a.phases()
	if !a.inTLS() || a.dialed.firstBytes.Load() != 0 || phases.TLS < phases.Total()/2 {
		return ""
	}
	return "the server did not answer the ClientHello; it may hang, or a firewall may drop a long one: try tls_config.max_version: TLS12, which sends a short one"
}

// A proxyRefusal is the status of a proxy's answer to CONNECT, if it is not 200.
type proxyRefusal int

func (r proxyRefusal) Error() string {
	if r == http.StatusProxyAuthRequired {
		return "the proxy asks for a user and a password (407); write them in proxy_url, or a Proxy-Authorization in proxy_connect_header"
	}
	return fmt.Sprintf("the proxy did not make the connection: it answered %d to CONNECT; see the proxy's log", int(r))
}
