package web

import (
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// TestHealthcheck is what the health check says of an address.
func TestHealthcheck(t *testing.T) {
	server := httptest.NewServer(newHandler(t, new(fake)))
	defer server.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	for url, want := range map[string]string{
		server.URL + "/-/healthy": "",
		server.URL + "/nothing":   server.URL + "/nothing answers 404 Not Found",
		strings.Replace(server.URL, "//", "//me:CANARY@", 1) + "/nothing": strings.Replace(server.URL, "//", "//me:xxxxx@", 1) + "/nothing answers 404 Not Found",
		"http://" + gone.Addr().String():                                  "connect: connection refused; start the exporter, or name its address",
		server.URL + "//metrics":                                          "//metrics answers 307 Temporary Redirect",
		"http://localhost:port":                                           `invalid port ":port" after host`,
	} {
		got := ""
		if err := Healthcheck(t.Context(), webFlags(""), BaseURL{}, url); err != nil {
			got = err.Error()
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", url, got, want)
		}
		canary.Check(t, "the error", got)
	}
}

// TestHealthcheckOfServe asks exporters for their health where their flags and their web
// configuration have them listen.
func TestHealthcheckOfServe(t *testing.T) {
	both, _ := secured(t)
	text, err := os.ReadFile(both)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(both)
	file := func(name, text string) string {
		exportertest.WriteFile(t, filepath.Join(dir, name), text)
		return filepath.Join(dir, name)
	}
	serverTLS, users, _ := strings.Cut(string(text), "\n")
	for _, c := range []struct{ name, webConfig, address, scheme string }{
		{"everywhere", "", ":PORT", "http"},
		{"a name", "", "localhost:PORT", "http"},
		{"password", file("users.yml", users), ":PORT", "http"},
		{"a rate limit that allows nothing", file("rate.yml", "rate_limit: {interval: 1h, burst: 0}\n"), ":PORT", "http"},
		{"TLS", file("tls.yml", serverTLS), ":PORT", "https"},
		{"TLS on another name", filepath.Join(dir, "tls.yml"), "LOCALHOST:PORT", "https"},
		{"TLS and a password", both, "127.0.0.1:PORT", "https"},
		{"client certificates", file("clients.yml", "tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_auth_type: RequireAnyClientCert}\n"), ":PORT", "https"},
	} {
		t.Run(c.name, func(t *testing.T) {
			listeners, err := Listen(webFlags(c.webConfig, strings.ReplaceAll(c.address, "PORT", "0")))
			if err != nil {
				t.Fatal(err)
			}
			_, port, _ := net.SplitHostPort(listeners[0].Addr().String())
			stop, ended := serveOn(t, newHandler(t, new(fake)), c.webConfig, canary.NewLog(t), listeners...)
			flags := webFlags(c.webConfig, strings.ReplaceAll(c.address, "PORT", port), "192.0.2.1:1")
			address, err := healthURL(flags, BaseURL{})
			if err != nil || !strings.HasPrefix(address, c.scheme+"://") {
				t.Errorf("URL %s, error %v", address, err)
			}
			if err := Healthcheck(t.Context(), flags, BaseURL{}, ""); err != nil {
				t.Errorf("while it serves: %v", err)
			}
			if err := Healthcheck(t.Context(), flags, BaseURL{}, address); (err == nil) == strings.HasPrefix(address, "https://LOCALHOST") {
				t.Errorf("--url=%s: %v, want the certificate verified except on loopback", address, err)
			}
			stop()
			<-ended
			if Healthcheck(t.Context(), flags, BaseURL{}, "") == nil {
				t.Error("it is healthy though nothing serves")
			}
		})
	}
}

// TestHealthURLWithZone is that the zone of an IPv6 address is escaped.
func TestHealthURLWithZone(t *testing.T) {
	got, err := healthURL(webFlags("", "[fe80::1%eth0]:10042"), BaseURL{})
	if want := "http://[fe80::1%25eth0]:10042/-/healthy"; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// TestHealthURLErrors is that an address that is not known is not guessed.
func TestHealthURLErrors(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "web.yml")
	exportertest.WriteFile(t, secret, "tls_server_config: {prefer_server_cipher_suites: CANARY}\n")
	for _, c := range []struct{ address, webConfig, want string }{
		{"127.0.0.1:0", "", `"127.0.0.1:0" cannot be asked; name an address with --url`},
		{"vsock://:10042", "", `"vsock://:10042" cannot be asked; name an address with --url`},
		{"systemd", "", "the address of a socket of systemd is not known here; name it with --url"},
		{":1", "none/web.yml", "failed to load the web configuration none/web.yml: open none/web.yml: no such file or directory"},
		{":1", secret, "failed to load the web configuration " + secret + ": yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str into bool"},
	} {
		flags := webFlags(c.webConfig, c.address)
		*flags.WebSystemdSocket = c.address == "systemd"
		if got, err := healthURL(flags, BaseURL{}); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %q, error %v, want %s", c.address, got, err, c.want)
		}
	}
}
