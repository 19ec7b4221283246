package faults

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/collector"
	"hmp_exporter/config"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
	"hmp_exporter/internal/web"
)

// The secrets of the sessions.
const (
	token  = canary.Word + "-token"
	key    = canary.Word + "-key"
	secret = canary.Word + "-secret"
)

// A setup is the servers of a row and the configuration of the exporter.
type setup struct {
	t        testing.TB
	dir      string
	secure   bool          // the target uses TLS
	timeout  time.Duration // of the target
	url      string        // of the target
	settings []string      // more lines of the target's configuration
	server   *server       // of the target; nil if there is none
	others   []*server     // must not receive a secret
	limit    int           // of recorded bytes
	closers  []func()
}

func newSetup(t testing.TB, dir string) *setup {
	t.Helper()
	return &setup{t: t, dir: dir, timeout: rowTimeout, limit: 16 << 10}
}

// close calls the closers, the last first.
func (s *setup) close() {
	for _, c := range slices.Backward(s.closers) {
		c()
	}
}

// file writes a file beside the configuration.
func (s *setup) file(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// set adds a line to the target's configuration.
func (s *setup) set(format string, a ...any) {
	s.settings = append(s.settings, fmt.Sprintf(format, a...))
}

// serve starts a server until the setup is closed.
func (s *setup) serve(c *tls.Config, sc script) *server {
	s.t.Helper()
	return s.serveAt("127.0.0.1:0", c, sc)
}

func (s *setup) serveAt(address string, c *tls.Config, sc script) *server {
	s.t.Helper()
	f := listen(s.t, address, s.limit, c, sc)
	s.closers = append(s.closers, f.close)
	return f
}

// target starts the target.
func (s *setup) target(sc script) {
	s.t.Helper()
	if s.secure {
		s.targetTLS(goodTLS(), sc)
		s.trust(authority().PEM())
		return
	}
	s.server = s.serve(nil, sc)
	s.url = "http://" + s.server.address()
}

// targetTLS starts the target with TLS. The caller sets the trusted authority.
func (s *setup) targetTLS(c *tls.Config, sc script) {
	s.t.Helper()
	s.server = s.serve(c, sc)
	s.url = "https://" + s.server.address()
}

// trust makes a certificate the only trusted authority.
func (s *setup) trust(pem []byte) {
	s.t.Helper()
	s.file("ca.pem", string(pem))
	s.set("tls_config: {ca_file: %q}", filepath.Join(s.dir, "ca.pem"))
}

// other starts a server that must not receive a secret.
func (s *setup) other(address string, c *tls.Config, sc script) *server {
	s.t.Helper()
	f := s.serveAt(address, c, sc)
	s.others = append(s.others, f)
	return f
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

// An exporter is the whole exporter in this process, with an HTTP server.
type exporter struct {
	store     *config.Store
	client    *http.Client
	url       string
	log       *canary.Log
	closeIdle func() // connections of the scraper
	close     func()
}

// export starts an exporter with a configuration file.
func export(t testing.TB, file string) *exporter {
	t.Helper()
	logged := canary.NewLog(t)
	logger := log.NewLogfmtLogger(logged)
	sessions := collector.New(collector.Options{
		MaxConcurrent: 100,
		TimeoutOffset: 500 * time.Millisecond,
		UserAgent:     "hmp_exporter/test",
		Logger:        logger,
	})
	store := config.NewStore((&config.Source{File: file}).Load, sessions.Apply)
	if err := store.Reload(); err != nil {
		t.Fatal(err)
	}
	handler, err := web.New(web.Options{
		Collector: sessions, Store: store, Reload: store.Reload, Logger: logger, TelemetryPath: "/metrics",
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	return &exporter{
		store:     store,
		client:    &http.Client{Transport: canary.Transport(t, transport)},
		url:       server.URL,
		log:       logged,
		closeIdle: transport.CloseIdleConnections,
		close: func() {
			transport.CloseIdleConnections()
			server.Close()
			sessions.Close()
		},
	}
}

// probe returns the answer of /probe for a target and its duration.
func (e *exporter) probe(target string) (exposition string, took time.Duration, err error) {
	begin := time.Now()
	resp, err := e.client.Get(e.url + "/probe?target=" + target)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return string(body), time.Since(begin), err
}

// authority signs the certificates of trusted servers.
var authority = sync.OnceValue(func() *hmpsim.Authority {
	a, err := hmpsim.NewAuthority()
	if err != nil {
		panic(err)
	}
	return a
})

// goodTLS is the TLS configuration of a correct server.
var goodTLS = sync.OnceValue(func() *tls.Config { return signed(hmpsim.CertificateOptions{}) })

// signed returns a TLS configuration with a certificate of the authority.
func signed(o hmpsim.CertificateOptions) *tls.Config {
	certificate, err := authority().Certificate(o)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}}
}

// goodTLSFor returns a correct TLS configuration for another host.
func goodTLSFor(host string) *tls.Config {
	return signed(hmpsim.CertificateOptions{Hosts: []string{host}})
}
