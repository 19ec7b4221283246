package faults

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/collector"
	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmp"
)

// TestMatrix runs every fault with a fixed token and with an API key.
func TestMatrix(t *testing.T) {
	// The process reads the system's certificates once. This is not the memory of a probe.
	if _, err := x509.SystemCertPool(); err != nil {
		t.Fatal(err)
	}
	for _, section := range sections {
		for _, r := range section.rows {
			for _, m := range r.modes() {
				t.Run(section.name+"/"+r.name+"/"+m.String(), func(t *testing.T) { r.test(t, m) })
			}
		}
	}
}

// test runs the row. If the probe lasts until its deadline, the timeout is short. A busy
// machine may not reach the fault in that time. Then the row runs again with a longer timeout.
func (r *row) test(t *testing.T, m mode) {
	w, timeout := r.expected(m), rowTimeout
	if w.Lasts {
		timeout = shortTimeout
	}
	for ; ; timeout *= 4 {
		s := newSetup(t)
		s.timeout = timeout
		r.build(s)
		got := s.startExporter(m).scrape(t)
		s.close()
		diff := s.compare(t, got, w)
		if diff != "" && 4*timeout <= rowTimeout {
			continue
		}
		if diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		s.check(t, got, w)
		return
	}
}

// compare returns the difference between the expected and the actual result.
func (s *setup) compare(t *testing.T, probed *scrape, w result) string {
	t.Helper()
	got := probed.result(t)
	// A probe may end a moment before its deadline.
	got.Lasts = max(probed.took, probed.duration()) >= s.timeout-time.Millisecond
	if s.server != nil {
		got.Connections = s.server.connections()
	}
	return cmp.Diff(w, got)
}

// check checks what every row has in common.
func (s *setup) check(t *testing.T, got *scrape, w result) {
	t.Helper()
	up, isValid := got.value(collector.Up), got.value(collector.SessionValid)
	if up != w.up() {
		t.Errorf("hmp_up is %q, want %q", up, w.up())
	}
	if confirmed := w.Name == hmp.Valid; isValid != map[bool]string{true: "1", false: "0"}[confirmed] {
		t.Errorf("hmp_session_valid is %q, though the result is %s", isValid, w.Name)
	}
	got.checkLimits(t, s.timeout)
	s.checkSecrets(t)
}

// checkSecrets checks that only the target received a secret.
func (s *setup) checkSecrets(t *testing.T) {
	t.Helper()
	for _, other := range s.others {
		received := other.received()
		canary.Check(t, "what another server received", received)
		if strings.Contains(received, "Authorization") {
			t.Error("another server received a header Authorization")
		}
	}
}
