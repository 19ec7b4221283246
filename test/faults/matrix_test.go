package faults

import (
	"crypto/x509"
	"path/filepath"
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
// machine may not reach the fault in that time. Then the row runs again, for rowTimeout.
func (r *row) test(t *testing.T, m mode) {
	w, timeout, begin := r.expected(m), rowTimeout, time.Now()
	if w.Lasts {
		timeout = shortTimeout
	}
	for {
		s := newSetup(t, t.TempDir())
		s.timeout = timeout
		r.build(s)
		s.file("hmp.yml", "targets:\n"+s.configuration("studio", m))
		e := export(t, filepath.Join(s.dir, "hmp.yml"))
		o := observe(t, e)
		e.close()
		s.close()
		diff := s.compare(t, &o, w)
		if diff != "" && w.Lasts && time.Since(begin) < rowTimeout {
			timeout = longerTimeout
			continue
		}
		if diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		s.check(t, &o, w)
		return
	}
}

// compare returns the difference between the expected and the actual result.
func (s *setup) compare(t *testing.T, o *observation, w want) string {
	t.Helper()
	got := o.result(t)
	// A probe may end a moment before its deadline.
	got.Lasts = max(o.took, o.duration()) >= s.timeout-time.Millisecond
	if s.server != nil {
		got.Connections = s.server.connections()
	}
	return cmp.Diff(w, got)
}

// check checks what every row has in common.
func (s *setup) check(t *testing.T, o *observation, w want) {
	t.Helper()
	up, isValid := o.value(collector.Up), o.value(collector.SessionValid)
	if up != w.up() {
		t.Errorf("hmp_up is %q, want %q", up, w.up())
	}
	if confirmed := w.Result == hmp.Valid; isValid != map[bool]string{true: "1", false: "0"}[confirmed] {
		t.Errorf("hmp_session_valid is %q, though the result is %s", isValid, w.Result)
	}
	o.checkLimits(t, s.timeout)
	s.checkSecrets(t)
}

// checkSecrets checks that only the target received a secret.
func (s *setup) checkSecrets(t *testing.T) {
	t.Helper()
	for _, f := range s.others {
		received := f.received()
		canary.Check(t, "what another server received", received)
		if strings.Contains(received, "Authorization") {
			t.Error("another server received a header Authorization")
		}
	}
}
