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

// TestMatrix has every fault meet the GET of a session with a fixed token, and the
// POST of one with an API key.
func TestMatrix(t *testing.T) {
	// Those that the system trusts are read once in a process, and are no probe's.
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

// test runs the row. A fault that lasts uses up the timeout of the probe, so the timeout is
// short. A busy machine may not come as far as the fault in that time, or not be back at the
// deadline: then the row is run again, for patience at most.
func (r *row) test(t *testing.T, m mode) {
	w, timeout, begun := r.wanted(m), patience, time.Now()
	if w.Lasts {
		timeout = brief
	}
	for {
		s := newStage(t, t.TempDir())
		s.timeout = timeout
		r.build(s)
		s.file("hmp.yml", "targets:\n"+s.configuration("studio", m))
		e := export(t, filepath.Join(s.dir, "hmp.yml"))
		o := observe(t, e)
		e.close()
		s.close()
		diff := s.compare(t, &o, w)
		if diff != "" && w.Lasts && time.Since(begun) < patience {
			timeout = longBrief
			continue
		}
		if diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		s.check(t, &o, w)
		return
	}
}

// compare returns how what was seen differs from what is wanted.
func (s *stage) compare(t *testing.T, o *observation, w want) string {
	t.Helper()
	got := o.seen(t)
	// A probe may end an instant before its deadline is over.
	got.Lasts = max(o.took, o.duration()) >= s.timeout-time.Millisecond
	if s.origin != nil {
		got.Connections = s.origin.connections()
	}
	return cmp.Diff(w, got)
}

// check checks what has to be seen beside that.
func (s *stage) check(t *testing.T, o *observation, w want) {
	t.Helper()
	up, isValid := o.value(collector.Up), o.value(collector.SessionValid)
	if up != w.up() {
		t.Errorf("hmp_up is %q, want %q", up, w.up())
	}
	if confirmed := w.Result == hmp.Valid; isValid != map[bool]string{true: "1", false: "0"}[confirmed] {
		t.Errorf("hmp_session_valid is %q, though the result is %s", isValid, w.Result)
	}
	o.bounded(t, s.timeout)
	s.kept(t)
}

// kept checks that no secret went to anybody but the target.
func (s *stage) kept(t *testing.T) {
	t.Helper()
	for _, f := range s.others {
		heard := f.heard()
		canary.Check(t, "what somebody else received", heard)
		if strings.Contains(heard, "Authorization") {
			t.Error("somebody else received a header Authorization")
		}
	}
}
