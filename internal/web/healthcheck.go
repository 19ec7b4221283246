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

// HealthURL returns where an exporter with these flags of the exporter toolkit can be
// asked for its health on this machine: the first address that it listens on.
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
		host = "127.0.0.1" // where those who listen everywhere listen too
	}
	scheme, err := scheme(*flags.WebConfigFile)
	if err != nil {
		return "", err
	}
	return scheme + "://" + net.JoinHostPort(host, port) + l.Prefix + "/-/healthy", nil
}

// scheme is https if a web configuration, "" for none, has TLS.
func scheme(file string) (string, error) {
	if file == "" {
		return "http", nil
	}
	var c struct {
		TLS toolkit.TLSConfig `yaml:"tls_server_config"`
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("failed to load the web configuration: %w", err)
	}
	if yaml.Unmarshal(text, &c) != nil { // its error can quote a key
		return "", fmt.Errorf("failed to load the web configuration %s: it is not valid", file)
	}
	if c.TLS.IsEnabled() {
		return "https", nil
	}
	return "http", nil
}

// Healthcheck fails unless the exporter at address, a URL, answers a GET with 200, or asks
// for a password or a client certificate: it is alive then, too. On loopback, any
// certificate will do. It is for container images, which have nothing else in them to ask
// with.
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
			InsecureSkipVerify: onLoopback(req.URL), //nolint:gosec // no secret goes there, and nobody is in between
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

// onLoopback tells whether a URL stays on this machine.
func onLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
