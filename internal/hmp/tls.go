package hmp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"time"
)

// certificateExpiry returns when a certificate expires. A chain expires with its earliest
// certificate, and the verified chain that lasts longest counts. If verification failed, the
// earliest of the presented certificates counts. If verification is off, the leaf counts.
// The expiry is zero if no certificate is known.
func certificateExpiry(state *tls.ConnectionState, err error) (expiry time.Time) {
	if refused, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return earliest(refused.UnverifiedCertificates)
	}
	if len(state.VerifiedChains) == 0 && len(state.PeerCertificates) > 0 {
		return state.PeerCertificates[0].NotAfter
	}
	for _, chain := range state.VerifiedChains {
		if end := earliest(chain); end.After(expiry) {
			expiry = end
		}
	}
	return expiry
}

func earliest(chain []*x509.Certificate) (end time.Time) {
	for _, c := range chain {
		if end.IsZero() || c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
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
	var presented []*x509.Certificate
	if isRefused {
		presented = refused.UnverifiedCertificates
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		switch i := slices.IndexFunc(presented, e.Cert.Equal); {
		case i == 0 || !isRefused:
			return validityReason("the HMP's certificate", e.Cert)
		case i > 0:
			return validityReason("a CA certificate that the HMP sends", e.Cert)
		default:
			return ownCAExpired
		}
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		if isRefused && strings.Contains(e.Error(), "has expired or is not yet valid") { // an authority's
			return authorityReason(presented)
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
	if strings.Contains(err.Error(), "x509: negative serial number") {
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
	return ownCAExpired
}

const ownCAExpired = "the certificate of the HMP's CA has expired or is not yet valid; renew it in tls_config.ca_file"

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
