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

// The secrets of the sessions here.
const (
	token  = canary.Word + "-token"
	key    = canary.Word + "-key"
	secret = canary.Word + "-secret"
)

// A stage is where one fault happens: far sides, and what an exporter is told of
// the one that is its target.
type stage struct {
	t        testing.TB
	dir      string
	secure   bool          // whether the target's far side has TLS
	timeout  time.Duration // of the target
	url      string        // of the target
	settings []string      // further lines of the target's configuration
	origin   *farSide      // the target's, that secrets are for; nil if it has none
	others   []*farSide    // that no secret is for
	keep     int           // how much far sides keep of what they receive, in bytes
	closers  []func()
}

func newStage(t testing.TB, dir string) *stage {
	t.Helper()
	return &stage{t: t, dir: dir, timeout: patience, keep: 16 << 10}
}

// close ends all that was begun, the last first.
func (s *stage) close() {
	for _, c := range slices.Backward(s.closers) {
		c()
	}
}

// file writes a file beside the configuration.
func (s *stage) file(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// set adds a line to the target's configuration.
func (s *stage) set(format string, a ...any) {
	s.settings = append(s.settings, fmt.Sprintf(format, a...))
}

// serve returns a far side that is closed with the stage.
func (s *stage) serve(c *tls.Config, sc script) *farSide {
	s.t.Helper()
	return s.serveAt("127.0.0.1:0", c, sc)
}

func (s *stage) serveAt(address string, c *tls.Config, sc script) *farSide {
	s.t.Helper()
	f := listen(s.t, address, s.keep, c, sc)
	s.closers = append(s.closers, f.close)
	return f
}

// target makes a far side with a script the target.
func (s *stage) target(sc script) {
	s.t.Helper()
	if s.secure {
		s.targetTLS(goodTLS(), sc)
		s.trust(authority().PEM())
		return
	}
	s.origin = s.serve(nil, sc)
	s.url = "http://" + s.origin.address()
}

// targetTLS does so with TLS. Whom to trust is to be set beside.
func (s *stage) targetTLS(c *tls.Config, sc script) {
	s.t.Helper()
	s.origin = s.serve(c, sc)
	s.url = "https://" + s.origin.address()
}

// trust makes a certificate the only authority of the target.
func (s *stage) trust(pem []byte) {
	s.t.Helper()
	s.file("ca.pem", string(pem))
	s.set("tls_config: {ca_file: %q}", filepath.Join(s.dir, "ca.pem"))
}

// other returns a far side that no secret is for.
func (s *stage) other(address string, c *tls.Config, sc script) *farSide {
	s.t.Helper()
	f := s.serveAt(address, c, sc)
	s.others = append(s.others, f)
	return f
}

// configuration is that of one target.
func (s *stage) configuration(name string, m mode) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - name: %s\n    url: %s\n    timeout: %s\n", name, s.url, s.timeout)
	for _, line := range s.settings {
		fmt.Fprintf(&b, "    %s\n", line)
	}
	fmt.Fprintf(&b, "    sessions: [{name: playout, %s}]\n", m.credential())
	return b.String()
}

// An exporter is all of it, as main wires it, behind a server of HTTP.
type exporter struct {
	store  *config.Store
	client *http.Client
	url    string
	log    *canary.Log
	idle   func() // closes connections of the scraper that nobody uses
	close  func()
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
	store := config.NewStore(func() (*config.Config, error) { return config.Load(file) }, sessions.Apply)
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
		store:  store,
		client: &http.Client{Transport: canary.Transport(t, transport)},
		url:    server.URL,
		log:    logged,
		idle:   transport.CloseIdleConnections,
		close: func() {
			transport.CloseIdleConnections()
			server.Close()
			sessions.Close()
		},
	}
}

// probe returns what /probe says of a target, and how long that took.
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

// authority signs the certificates of far sides that are to be trusted.
var authority = sync.OnceValue(func() *hmpsim.Authority {
	a, err := hmpsim.NewAuthority()
	if err != nil {
		panic(err)
	}
	return a
})

// goodTLS is the TLS of a far side at which nothing is wrong.
var goodTLS = sync.OnceValue(func() *tls.Config { return signed(hmpsim.CertificateOptions{}) })

// signed is TLS with a certificate of the authority.
func signed(o hmpsim.CertificateOptions) *tls.Config {
	certificate, err := authority().Certificate(o)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}}
}

// goodTLSFor is that of another host.
func goodTLSFor(host string) *tls.Config {
	return signed(hmpsim.CertificateOptions{Hosts: []string{host}})
}
