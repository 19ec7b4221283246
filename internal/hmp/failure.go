package hmp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
)

// failure tells where an exchange without an answer broke off. How far it had
// come says more than the error, which a transport wraps in many ways.
func (t *timeline) failure(err error) Result {
	if exhausted(err) {
		return Saturated // it says nothing of the HMP
	}
	if alert(err) != nil {
		return TLS // in TLS 1.3 a client's certificate is refused after the handshake
	}
	if _, lookup := errors.AsType[*net.DNSError](err); lookup {
		return DNS
	}
	switch {
	case t.reached(gotConn):
		return Protocol
	case t.marks[tlsStart].After(t.marks[tlsDone]):
		return TLS
	default:
		return Connect
	}
}

// reason says why an exchange broke off. It passes on the texts of errors that
// this side wrote, and of certificates; never what the far side sent as HTTP,
// because that may repeat a secret.
func reason(o Result, err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return presentable(dns.Error())
	}
	if r := handshakeReason(err); r != "" {
		return r
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && isErrno(op.Err) {
		return presentable(op.Error())
	}
	switch {
	case errors.Is(err, errGivenUp):
		return "the far side gave the connection up before it answered"
	case errors.Is(err, syscall.ECONNRESET):
		return "the connection was reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before the answer was complete"
	case o == TLS: // nothing but the handshake and the certificate has been received
		return presentable(err.Error())
	case o == Connect:
		return "the proxy did not make the connection"
	default:
		return "the answer is not valid HTTP, or its header is too large"
	}
}

func isErrno(err error) bool {
	_, ok := errors.AsType[syscall.Errno](err)
	return ok
}

// bodyReason says why the body of a 200 is not a session.
func bodyReason(err error) string {
	if form, ok := errors.AsType[formError](err); ok {
		return form.Error()
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "the body ends early"
	}
	return "the connection broke within the body"
}

// exhausted tells whether it is this side that lacks what a connection takes.
func exhausted(err error) bool {
	lack := func(what error) bool { return errors.Is(err, what) }
	return slices.ContainsFunc([]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}, lack)
}

// alert returns what tells that the far side ended TLS with an alert, whose type
// crypto/tls keeps to itself; nil if it did not. What net/http wraps around it, or
// not, depends on which of its goroutines was first.
func alert(err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return nil
	}
	return op
}

// handshakeReason explains an error of TLS, with a hint for what HMPs are known
// for: certificates that nobody signed, and that name an address in the CN only.
// A certificate decides how long its part of the text is, but not whether the hint
// is there. It returns "" for any other error.
func handshakeReason(err error) string {
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return presentable(e.Error()) + "; if the HMP signed its certificate itself, give it as tls_config.ca_file"
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return presentable(e.Error()) + "; reissue the certificate with this name among its subject alternative names, or set tls_config.server_name to one it has"
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return presentable(e.Error())
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the far side does not speak TLS; does it want http:// in the url?"
	}
	if a := alert(err); a != nil {
		return presentable(a.Error())
	}
	return ""
}
