package collector

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/hmpsim"
)

// TestLimitFollowsAnswers has many more sessions than there are slots: they do not all go to an HMP
// in one instant, nor one after the other.
func TestLimitFollowsAnswers(t *testing.T) {
	tests := []struct {
		name   string
		slots  int
		answer time.Duration  // time to one
		want   map[string]int // probes at once, by host
	}{
		{"one HMP", 10, time.Second / 10, map[string]int{"studio": 10}},
		{"two HMPs", 10, time.Second / 100, map[string]int{"studio": 5, "tower": 5}},
		{"a fast HMP, with slots for more", 100, time.Millisecond, map[string]int{"studio": 8}},
		{"a slow HMP, with slots for more", 100, time.Second, map[string]int{"studio": 100}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, maxConcurrent(tt.slots))
				seen := make(map[string]*pace)
				var targets []string
				for host := range tt.want {
					seen[host] = new(pace)
					answers, names := many(300, seen[host].counted(tt.answer, valid()))
					r.simulate(host, answers)
					targets = append(targets, targetNamed(host, names...))
				}
				r.Apply(r.load(targets...))

				for _, o := range resultNames(r.probe(Request{})) {
					if o != hmp.Valid {
						t.Fatalf("a session is %s", o)
					}
				}
				got := make(map[string]int)
				for host, p := range seen {
					got[host] = p.most
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("probes at once (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A pace is how many answers are being made at once, and the most that ever were.
type pace struct {
	mu        sync.Mutex
	now, most int
}

// counted answers as b, after some work that is counted.
func (p *pace) counted(work time.Duration, b hmpsim.Behaviour) hmpsim.Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
		p.add(1)
		time.Sleep(work)
		p.add(-1)
		b(w, r, c)
	}
}

func (p *pace) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now += n
	p.most = max(p.most, p.now)
}
