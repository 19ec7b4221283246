package faults

import (
	"crypto/x509"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// attempts is how often a fault is tried whose probe took too long: it may have
// been the machine.
const attempts = 3

func (r *row) test(t *testing.T, m mode) {
	for attempt := 1; ; attempt++ {
		s := newStage(t, t.TempDir())
		r.build(s)
		s.file("hmp.yml", "targets:\n"+s.configuration("studio", m))
		e := export(t, filepath.Join(s.dir, "hmp.yml"))
		o := observe(t, e)
		e.close()
		s.close()
		if o.excess(s.timeout) <= maxExcess || attempt == attempts {
			r.check(t, s, &o, r.wanted(m))
			return
		}
	}
}

// check compares what was seen with what is wanted.
func (r *row) check(t *testing.T, s *stage, o *observation, w want) {
	t.Helper()
	got, up, isValid := o.seen(t)
	// A probe may end an instant before its deadline is over.
	got.Lasts = max(o.took, o.duration()) >= s.timeout-time.Millisecond
	if s.origin != nil {
		got.Connections = s.origin.connections()
	}
	if diff := cmp.Diff(w, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
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
