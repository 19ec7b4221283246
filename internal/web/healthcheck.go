package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
)

// HealthURL returns the URL of the health of an exporter on this machine that has these flags. It
// uses the first address of the flags.
func HealthURL(flags *toolkit.FlagConfig, l Location) (string, error) {
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
	return scheme + "://" + net.JoinHostPort(host, port) + l.Prefix + "/-/healthy", nil
}

// scheme returns https if a web configuration has TLS. The file may be "".
func scheme(file string) (string, error) {
	if file == "" {
		return "http", nil
	}
	var c struct {
		TLS toolkit.TLSConfig `yaml:"tls_server_config"`
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", configError(file, err)
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		return "", configError(file, err)
	}
	if c.TLS.IsEnabled() {
		return "https", nil
	}
	return "http", nil
}

// Healthcheck returns nil if the exporter at a URL answers with 200, or wants a password or a
// client certificate. On loopback it accepts any certificate. Container images use it, because
// they have no other program.
func Healthcheck(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	askedForCertificate := false
	transport := &http.Transport{ // without a proxy
		DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{
			InsecureSkipVerify: onLoopback(req.URL), //nolint:gosec // it sends no secret, and nobody is in between
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				askedForCertificate = true
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
	case err != nil && askedForCertificate && ctx.Err() == nil:
		return nil
	case err != nil:
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("%s answers %s", req.URL.Redacted(), resp.Status)
	}
	return nil
}

// onLoopback reports whether a URL is on this machine.
func onLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
