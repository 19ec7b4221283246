package faults

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/exportertest"
)

// The secrets of the sessions.
const (
	token  = canary.Word + "-token"
	key    = canary.Word + "-key"
	secret = canary.Word + "-secret"
)

// A setup is the servers of a row and the configuration of the exporter.
type setup struct {
	t           testing.TB
	dir         string        // of the configuration
	secure      bool          // the target uses TLS
	timeout     time.Duration // of the target
	url         string        // of the target
	settings    []string      // more lines of the target's configuration
	server      *server       // of the target; nil if there is none
	others      []*server     // must not receive a secret
	maxRecorded int           // bytes that each server records
	closers     []func()
}

func newSetup(t testing.TB) *setup {
	t.Helper()
	return &setup{t: t, dir: t.TempDir(), timeout: rowTimeout, maxRecorded: 16 << 10}
}

// close calls the closers, the last first.
func (s *setup) close() {
	for _, c := range slices.Backward(s.closers) {
		c()
	}
}

// configure adds a line to the target's configuration.
func (s *setup) configure(format string, a ...any) {
	s.settings = append(s.settings, fmt.Sprintf(format, a...))
}

// anyPort is the address of a server whose port does not matter.
const anyPort = "127.0.0.1:0"

// serve starts a server until the setup is closed.
func (s *setup) serve(address string, c *tls.Config, sc script) *server {
	s.t.Helper()
	started := listen(s.t, address, s.maxRecorded, c, sc)
	s.closers = append(s.closers, started.close)
	return started
}

// target starts the target.
func (s *setup) target(sc script) {
	s.t.Helper()
	if s.secure {
		s.targetTLS(goodTLS(), sc)
		s.trust(authority().PEM())
		return
	}
	s.server = s.serve(anyPort, nil, sc)
	s.url = "http://" + s.server.address()
}

// targetTLS starts the target with TLS. The caller sets the trusted authority.
func (s *setup) targetTLS(c *tls.Config, sc script) {
	s.t.Helper()
	s.server = s.serve(anyPort, c, sc)
	s.url = "https://" + s.server.address()
}

// trust makes a certificate the only trusted authority.
func (s *setup) trust(pem []byte) {
	s.t.Helper()
	file := filepath.Join(s.dir, "ca.pem")
	exportertest.WriteFile(s.t, file, string(pem))
	s.configure("tls_config: {ca_file: %q}", file)
}

// other starts a server that must not receive a secret.
func (s *setup) other(address string, c *tls.Config, sc script) *server {
	s.t.Helper()
	other := s.serve(address, c, sc)
	s.others = append(s.others, other)
	return other
}

// configuration returns the configuration of the target.
func (s *setup) configuration(name string, m mode) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - name: %s\n    url: %s\n    timeout: %s\n", name, s.url, s.timeout)
	for _, line := range s.settings {
		fmt.Fprintf(&b, "    %s\n", line)
	}
	fmt.Fprintf(&b, "    sessions: [{name: playout, %s}]\n", m.credential())
	return b.String()
}

// startExporter starts the exporter with the target, under the name studio.
func (s *setup) startExporter(m mode) *exporter {
	s.t.Helper()
	e := startExporter(s.t, s.dir, s.configuration("studio", m))
	s.closers = append(s.closers, e.close)
	return e
}
