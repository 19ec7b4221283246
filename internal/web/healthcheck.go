package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// healthURL returns the URL of the health of an exporter on this machine that has these flags. It
// uses the first address of the flags.
func healthURL(flags *toolkit.FlagConfig, base BaseURL) (string, error) {
	if *flags.WebSystemdSocket {
		return "", errors.New("the address of a socket of systemd is not known here; name it with --url")
	}
	address := (*flags.WebListenAddresses)[0]
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "0" || strings.HasPrefix(address, "vsock:") {
		return "", fmt.Errorf("%q cannot be asked; name an address with --url", address)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1" // included in all addresses
	}
	scheme, err := scheme(*flags.WebConfigFile)
	if err != nil {
		return "", err
	}
	address = net.JoinHostPort(host, port)
	return (&url.URL{Scheme: scheme, Host: address, Path: base.Prefix + "/-/healthy"}).String(), nil // escapes the zone of an IPv6 address
}

// Healthcheck asks the exporter on this machine that has these flags. If address is not "", it
// asks that URL instead. It returns nil if the exporter answers with 200, wants a password or a
// client certificate, or has had as many requests as its rate limit allows. Container images use
// it, because they have no other program.
//
// On this machine it accepts any certificate. The name of a listen address is often not the name
// in the certificate.
func Healthcheck(ctx context.Context, flags *toolkit.FlagConfig, base BaseURL, address string) error {
	isHere := address == ""
	if isHere {
		var err error
		if address, err = healthURL(flags, base); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	var askedForCertificate atomic.Bool // a goroutine of the transport sets it
	transport := &http.Transport{       // without a proxy
		DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{
			InsecureSkipVerify: isHere || onLoopback(req.URL), //nolint:gosec // it sends no secret, and nobody is in between
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				askedForCertificate.Store(true)
				return new(tls.Certificate), nil
			},
		},
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	switch {
	case err != nil && askedForCertificate.Load() && ctx.Err() == nil:
		return nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w; start the exporter, or name its address with the flags of serve or with --url", err)
	case err != nil:
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusUnauthorized, http.StatusTooManyRequests:
		return nil
	default:
		return fmt.Errorf("%s answers %s", req.URL.Redacted(), resp.Status)
	}
}

// onLoopback reports whether a URL is an address of loopback.
func onLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
