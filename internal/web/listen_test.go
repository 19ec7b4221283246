package web

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
)

// TestListenPortInUse is that the error says what to do, and that nothing stays open.
func TestListenPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	first, second := free.Addr().String(), taken.Addr().String()
	_ = free.Close()

	listeners, err := Listen(webFlags("", first, second))
	want := `failed to listen on "` + second + `": listen tcp ` + second + ": bind: address already in use; choose another with --web.listen-address"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v,\nwant %s", err, want)
	}
	if len(listeners) != 0 {
		t.Errorf("there are %d listeners besides the error", len(listeners))
	}
	again, err := net.Listen("tcp", first)
	if err != nil {
		t.Fatalf("the first listener is still open: %v", err)
	}
	_ = again.Close()
}

func TestListenErrors(t *testing.T) {
	t.Setenv("LISTEN_PID", "")
	dir := t.TempDir()
	for _, c := range []struct {
		name, webConfig, address string
		systemd                  bool
		want                     string // in the error
	}{
		{name: "no port", address: "127.0.0.1", want: `failed to listen on "127.0.0.1": listen tcp: address 127.0.0.1: missing port in address; choose another with --web.listen-address`},
		{name: "no such port", address: "127.0.0.1:70000", want: `failed to listen on "127.0.0.1:70000": listen tcp: address 70000: invalid port; choose another`},
		{name: "vsock without port", address: "vsock://", want: `failed to listen on "vsock://": `},
		{name: "vsock with a word", address: "vsock://:web", want: `failed to listen on "vsock://:web": `},
		{name: "no web configuration", webConfig: filepath.Join(dir, "missing.yml"), want: "failed to load the web configuration " + dir + "/missing.yml: open "},
		{name: "unknown field", webConfig: writeFile(t, dir, "field.yml", "tls: {}\n"), want: "failed to load the web configuration " + dir + "/field.yml: yaml: "},
		{name: "certificate without key", webConfig: writeFile(t, dir, "cert.yml", "tls_server_config: {cert_file: cert.pem}\n"), want: "cert.yml: missing one of key or key_file"},
		{name: "missing certificate", webConfig: writeFile(t, dir, "none.yml", "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"), want: "cert.pem: no such file"},
		{name: "password in clear", webConfig: writeFile(t, dir, "clear.yml", "basic_auth_users: {prometheus: CANARY}\n"), want: "clear.yml: crypto/bcrypt: "},
		{name: "no socket", systemd: true, want: "systemd handed over no socket: start through a .socket unit, or leave --web.systemd-socket out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := c.address
			if address == "" {
				address = "127.0.0.1:0"
			}
			flags := webFlags(c.webConfig, address)
			*flags.WebSystemdSocket = c.systemd
			listeners, err := Listen(flags)
			if err == nil {
				t.Fatalf("there are %d listeners, want an error", len(listeners))
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %q,\nwant %q", err, c.want)
			}
			canary.Check(t, "the error", err.Error())
		})
	}
}

func TestURL(t *testing.T) {
	for _, c := range []struct {
		name string
		addr net.Addr
		want string
	}{
		{"all addresses", &net.TCPAddr{IP: net.IPv6zero, Port: 10042}, "http://localhost:10042"},
		{"all of IPv4", &net.TCPAddr{IP: net.IPv4zero, Port: 10042}, "http://localhost:10042"},
		{"one of IPv4", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, "http://192.0.2.1:80"},
		{"one of IPv6", &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 80}, "http://[2001:db8::1]:80"},
		{"one of IPv6 with a zone", &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0", Port: 80}, "http://[fe80::1%eth0]:80"},
		{"socket", &net.UnixAddr{Name: "/run/hmp_exporter.sock", Net: "unix"}, "/run/hmp_exporter.sock"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, URL(addressed{addr: c.addr})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// addressed is a listener that has an address and nothing else.
type addressed struct {
	net.Listener
	addr net.Addr
}

func (a addressed) Addr() net.Addr { return a.addr }
