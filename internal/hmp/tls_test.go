package hmp

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each reason names a setting. With that setting, the same server gives a valid session.
func TestSettingsForOldServers(t *testing.T) {
	speak := func(c *tls.Config) *httptest.Server {
		return serve(t, answer(200, `{"data":{}}`), func(s *httptest.Server) { s.TLS = c })
	}
	none := func(*Options) {}
	// The key share for post-quantum key exchange makes a ClientHello long.
	stop := make(chan struct{})
	firewall := &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedCurves, tls.X25519MLKEM768) {
			<-stop
		}
		return nil, nil
	}}
	for name, tt := range map[string]struct {
		server  *httptest.Server
		want    Result
		reason  string
		godebug string
		change  func(*Options)
	}{
		"RSA key exchange only": {
			speak(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}),
			TLS, "start the exporter with GODEBUG=tlsrsakex=1", "tlsrsakex=1", none,
		},
		"TLS 1.1 at most": {
			speak(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}),
			TLS, "set tls_config.min_version to TLS10", "", func(o *Options) { o.TLS.MinVersion = tls.VersionTLS10 },
		},
		"a firewall that drops a long ClientHello": {
			speak(firewall), Timeout, "try tls_config.max_version: TLS12", "", func(o *Options) { o.TLS.MaxVersion = tls.VersionTLS12 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			trusted := trust(tt.server)
			within := plenty
			if tt.want == Timeout {
				within = hung
			}
			if a := ask(t, tt.server.URL, within, trusted); a.Result != tt.want || !strings.Contains(a.Reason, tt.reason) {
				t.Errorf("got %s (%s), want %s with %q", a.Result, a.Reason, tt.want, tt.reason)
			}
			t.Setenv("GODEBUG", tt.godebug)
			if a := ask(t, tt.server.URL, plenty, trusted, tt.change); a.Result != Valid {
				t.Errorf("with the setting: got %s (%s)", a.Result, a.Reason)
			}
		})
	}
	close(stop)
}

func TestReasonsOfHandshakes(t *testing.T) {
	now := time.Now()
	valid := &x509.Certificate{NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	expired := &x509.Certificate{NotAfter: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)}
	early := &x509.Certificate{NotBefore: time.Date(2201, 2, 3, 4, 5, 6, 0, time.UTC), NotAfter: now.Add(time.Hour)}
	alert := error(&net.OpError{Op: "remote error", Err: tls.AlertError(116)})
	for got, want := range map[string]string{
		handshakeReason(x509.CertificateInvalidError{Reason: x509.Expired, Cert: expired}, new(mask)): "the HMP's certificate expired at 2001-02-03T04:05:06Z; renew it on the HMP",
		validityReason("it", early):                                                 "it is not valid before 2201-02-03T04:05:06Z; compare the clocks of the HMP and of the exporter's machine",
		authorityReason([]*x509.Certificate{valid, expired}):                        "a CA certificate that the HMP sends expired at 2001-02-03T04:05:06Z; renew it on the HMP",
		authorityReason([]*x509.Certificate{valid}):                                 "the certificate of the HMP's CA has expired or is not yet valid; renew it in tls_config.ca_file",
		handshakeReason(alert, new(mask)):                                           "remote error: tls: certificate required",
		handshakeReason(errors.New("x509: negative serial number"), new(mask)):      "the HMP's certificate has a negative serial number; reissue it, or start the exporter with GODEBUG=x509negativeserial=1",
		handshakeReason(fmt.Errorf("readLoopPeekFailLocked: %w", alert), new(mask)): "remote error: tls: certificate required",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	expiredCA := func(presented ...*x509.Certificate) error {
		expired := &x509.Certificate{Raw: []byte("CA"), NotAfter: expired.NotAfter}
		return &tls.CertificateVerificationError{UnverifiedCertificates: presented, Err: x509.CertificateInvalidError{Reason: x509.Expired, Cert: expired}}
	}
	leaf, sent := &x509.Certificate{Raw: []byte("leaf")}, &x509.Certificate{Raw: []byte("CA")}
	if got, want := handshakeReason(expiredCA(leaf), new(mask)), "renew it in tls_config.ca_file"; !strings.HasSuffix(got, want) {
		t.Errorf("the CA of ca_file: got %q, want %q", got, want)
	}
	if got, want := handshakeReason(expiredCA(leaf, sent), new(mask)), "a CA certificate that the HMP sends expired at"; !strings.HasPrefix(got, want) {
		t.Errorf("a CA that the HMP sends: got %q, want %q", got, want)
	}
	names := make([]string, 50) // from a hundred on, Go only counts them
	for i := range names {
		names[i] = fmt.Sprintf("hmp-%d.studio.example", i)
	}
	got := handshakeReason(x509.HostnameError{Certificate: &x509.Certificate{DNSNames: names}, Host: "hmp.example"}, new(mask))
	if !strings.HasSuffix(got, "or set tls_config.server_name to one it has") || len(got) > 2*MaxTextLength {
		t.Errorf("a certificate with many names: got %q, want a short text and the hint", got)
	}
}

func TestCertificateExpiry(t *testing.T) {
	now := time.Now()
	until := func(hours ...int) (chain []*x509.Certificate) {
		for _, h := range hours {
			chain = append(chain, &x509.Certificate{NotAfter: now.Add(time.Duration(h) * time.Hour)})
		}
		return chain
	}
	refused := &tls.CertificateVerificationError{UnverifiedCertificates: until(5, -1, 9), Err: errors.New("expired")}
	for name, tt := range map[string]struct {
		state tls.ConnectionState
		err   error
		want  int
	}{
		"an expired cross-signature that is not needed": {tls.ConnectionState{PeerCertificates: until(5, -1), VerifiedChains: [][]*x509.Certificate{until(5, 90)}}, nil, 5},
		"two chains":   {tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{until(50, 9), until(50, 20), until(50, 10)}}, nil, 20},
		"refused":      {tls.ConnectionState{}, fmt.Errorf("tls: %w", refused), -1},
		"not verified": {tls.ConnectionState{PeerCertificates: until(7, 3)}, nil, 7},
	} {
		if got, want := certificateExpiry(&tt.state, tt.err), now.Add(time.Duration(tt.want)*time.Hour); !got.Equal(want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
