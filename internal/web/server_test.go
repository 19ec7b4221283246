package web

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// serveOn runs [Serve] until stop is called or the test ends. Then it closes ended.
func serveOn(t *testing.T, h http.Handler, webConfig string, logTo io.Writer, listeners ...net.Listener) (stop context.CancelFunc, ended <-chan struct{}) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := Serve(ctx, listeners, h, webFlags(webConfig), slog.New(slog.NewTextHandler(logTo, nil))); err != nil {
			t.Errorf("Serve: %v", err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return stop, done
}

// TestServeFails is that a listener that fails ends the others.
func TestServeFails(t *testing.T) {
	listeners, err := Listen(webFlags("", "127.0.0.1:0", "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	_ = listeners[1].Close()
	err = Serve(t.Context(), listeners, newHandler(t, new(fake)), webFlags(""), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "use of closed network connection") {
		t.Errorf("got %v, want that the second listener is closed", err)
	}
	if _, err := net.Dial("tcp", listeners[0].Addr().String()); err == nil {
		t.Error("the first listener is still open")
	}
}

// TestListenFails is that Listen closes its other listeners.
func TestListenFails(t *testing.T) {
	t.Setenv("LISTEN_PID", "")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	first := free.Addr().String()
	_ = free.Close()
	for address, want := range map[string]string{
		taken.Addr().String(): "bind: address already in use; choose another with --web.listen-address",
		"vsock://":            `failed to listen on "vsock://": `,
		"systemd":             "systemd handed over no socket that accepts connections: start through a .socket unit with ListenStream=, or leave --web.systemd-socket out",
	} {
		flags := webFlags("", first, address)
		*flags.WebSystemdSocket = address == "systemd"
		if listeners, err := Listen(flags); err == nil || len(listeners) > 0 || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %d listeners, %v, want %s", address, len(listeners), err, want)
		}
		again, err := net.Listen("tcp", first)
		if err != nil {
			t.Fatalf("the first listener is still open: %v", err)
		}
		_ = again.Close()
	}
}

// TestSystemdListeners is that the exporter serves the sockets of a unit that accept connections.
func TestSystemdListeners(t *testing.T) {
	stream := addressed{}
	if got, err := systemdListeners([]net.Listener{nil, stream}, nil); err != nil || len(got) != 1 || got[0] != stream {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := systemdListeners([]net.Listener{nil}, nil); err == nil || len(got) > 0 || !strings.Contains(err.Error(), "no socket that accepts connections") {
		t.Errorf("without a stream: got %v, %v", got, err)
	}
}

// TestValidateConfig is that an error of a web configuration has no value of the file, which can
// be a key or a password.
func TestValidateConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yml")
	for text, want := range map[string]string{
		"tls: {}\n": "yaml: unmarshal errors:\n  line 1: field tls not found",
		"tls_server_config: {cert_file: cert.pem}\n":                             "missing one of key or key_file",
		"tls_server_config: {prefer_server_cipher_suites: CANARY}\n":             "line 1: cannot unmarshal !!str into bool",
		"tls_server_config: {prefer_server_cipher_suites: \"`\\nCANARY\"}\n":     "cannot unmarshal !!str into bool",
		"tls_server_config: {key: *CANARY}\n":                                    "unknown anchor referenced",
		"basic_auth_users: {prometheus: " + strings.Repeat("CANARY", 10) + "}\n": "bcrypt hashes must start with '$'; make the hash with ",
	} {
		exportertest.WriteFile(t, file, text)
		err := ValidateConfig(file, false)
		if err == nil || !strings.HasPrefix(err.Error(), "failed to load the web configuration "+file+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
			continue
		}
		canary.Check(t, "the error", err.Error())
	}
}

// TestURL is the address that a browser on this machine can open.
func TestURL(t *testing.T) {
	webConfig, _ := secured(t)
	for _, c := range []struct {
		addr            net.Addr
		webConfig, want string
	}{
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 80}, webConfig, "https://[::1]:80"},
		{&net.TCPAddr{IP: net.IPv6zero, Port: 10042}, "", "http://localhost:10042"},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, "", "http://192.0.2.1:80"},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0", Port: 80}, "", "http://[fe80::1%eth0]:80"},
		{&net.UnixAddr{Name: "/run/hmp_exporter.sock", Net: "unix"}, "", "/run/hmp_exporter.sock"},
	} {
		if got := URL(addressed{addr: c.addr}, webFlags(c.webConfig)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

type addressed struct {
	net.Listener
	addr net.Addr
}

func (a addressed) Addr() net.Addr { return a.addr }
