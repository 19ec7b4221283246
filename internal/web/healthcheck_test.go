package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
)

func TestHealthcheck(t *testing.T) {
	ready := newRig(t, fleet)
	empty := newRig(t, "")
	refused := httptest.NewServer(nil)
	refused.Close()
	at := strings.TrimPrefix(empty.url, "http://")
	for _, c := range []struct{ name, url, want string }{
		{"healthy", ready.url + "/-/healthy", ""},
		{"ready", ready.url + "/-/ready", ""},
		{"alive without a configuration", empty.url + "/-/healthy", ""},
		{"not ready", empty.url + "/-/ready", empty.url + "/-/ready answers 503 Service Unavailable"},
		{"password", "http://me:CANARY@" + at + "/-/ready", "http://me:xxxxx@" + at + "/-/ready answers 503 Service Unavailable"},
		{"nothing there", empty.url + "/nothing", empty.url + "/nothing answers 404 Not Found"},
		{"refused", refused.URL, `Get "` + refused.URL + `": dial tcp ` + refused.Listener.Addr().String() + ": connect: connection refused"},
		{"no URL", "localhost", `Get "localhost": unsupported protocol scheme ""`},
		{"malformed URL", "http://localhost:port", `parse "http://localhost:port": invalid port ":port" after host`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := Healthcheck(t.Context(), c.url); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			canary.Check(t, "the error", got)
		})
	}
}

// TestHealthcheckOfServe asks exporters for their health where their flags and their web
// configuration have them listen.
func TestHealthcheckOfServe(t *testing.T) {
	both, _ := secured(t)
	dir := filepath.Dir(both)
	clients := writeFile(t, dir, "clients.yml",
		"tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_auth_type: RequireAnyClientCert}\n")
	text, err := os.ReadFile(both)
	if err != nil {
		t.Fatal(err)
	}
	serverTLS, users, _ := strings.Cut(string(text), "\n")
	onlyTLS, onlyUsers := writeFile(t, dir, "tls.yml", serverTLS), writeFile(t, dir, "users.yml", users)
	for _, c := range []struct{ name, webConfig, address, scheme string }{
		{"everywhere", "", ":PORT", "http"},
		{"all of IPv4", "", "0.0.0.0:PORT", "http"},
		{"all of IPv6", "", "[::]:PORT", "http"},
		{"loopback", "", "127.0.0.1:PORT", "http"},
		{"a name", "", "localhost:PORT", "http"},
		{"password", onlyUsers, ":PORT", "http"},
		{"TLS", onlyTLS, ":PORT", "https"},
		{"TLS and a password", both, "127.0.0.1:PORT", "https"},
		{"client certificates", clients, ":PORT", "https"},
	} {
		t.Run(c.name, func(t *testing.T) {
			listeners, err := Listen(webFlags(c.webConfig, strings.ReplaceAll(c.address, "PORT", "0")))
			if err != nil {
				t.Fatal(err)
			}
			_, port, _ := net.SplitHostPort(listeners[0].Addr().String())
			flags := webFlags(c.webConfig, strings.ReplaceAll(c.address, "PORT", port), "192.0.2.1:1")
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/-/healthy" {
					http.NotFound(w, r)
				}
			})
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- Serve(ctx, listeners, handler, flags, slog.New(slog.DiscardHandler)) }()

			address, err := HealthURL(flags, Location{})
			if err != nil || !strings.HasPrefix(address, c.scheme+"://") {
				t.Errorf("URL %s, error %v", address, err)
			}
			if err := Healthcheck(t.Context(), address); err != nil {
				t.Errorf("while it serves: %v", err)
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if Healthcheck(t.Context(), address) == nil {
				t.Error("it is healthy though nothing serves")
			}
		})
	}
}

// TestHealthURLErrors is that an address which cannot be known is not guessed.
func TestHealthURLErrors(t *testing.T) {
	for _, c := range []struct{ name, address, webConfig, want string }{
		{"any port", "127.0.0.1:0", "", `"127.0.0.1:0" cannot be asked; name an address with --url`},
		{"no port", "127.0.0.1", "", `"127.0.0.1" cannot be asked; name an address with --url`},
		{"vsock", "vsock://:10042", "", `"vsock://:10042" cannot be asked; name an address with --url`},
		{"systemd", "systemd", "", "the address of a socket of systemd is not known here; name it with --url"},
		{"no file", ":1", "none/web.yml", "failed to load the web configuration: open none/web.yml: no such file or directory"},
	} {
		flags := webFlags(c.webConfig, c.address)
		*flags.WebSystemdSocket = c.address == "systemd"
		if got, err := HealthURL(flags, Location{}); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %q, error %v, want %s", c.name, got, err, c.want)
		}
	}
	file := writeFile(t, t.TempDir(), "web.yml", "tls_server_config: {key: [CANARY]}\n")
	_, err := HealthURL(webFlags(file, ":1"), Location{})
	if err == nil {
		t.Fatal("a web configuration that is not valid is no error")
	}
	canary.Check(t, "the error", err.Error())
}
