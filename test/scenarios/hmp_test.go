package scenarios

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"hmp_exporter/internal/hmpsim"
)

// serve starts a simulated HMP and returns its URL.
func serve(t *testing.T, hmp *hmpsim.Server) string {
	t.Helper()
	l, err := hmp.Start(hmpsim.ListenConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l.URL
}

// hmpWith returns a simulated HMP that behaves alike for all these sessions.
func hmpWith(sessions []string, b hmpsim.Behaviour) *hmpsim.Server {
	hmp := hmpsim.New()
	for _, s := range sessions {
		hmp.SetToken(secretOf(s), b)
	}
	return hmp
}

var valid = hmpsim.Valid(hmpsim.ExampleSession())

// settled is how long a request is under way before hanging counts it. A request whose
// client has just gone may be still there for a moment when the next one comes.
const settled = 500 * time.Millisecond

// A hanging behaviour answers nothing, and counts how many requests of one token are under way at once.
type hanging struct {
	mu       sync.Mutex
	requests map[string]int // under way for longer than settled, by token
	most     int
}

func (h *hanging) behave(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
	count := func(n int) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.requests == nil {
			h.requests = make(map[string]int)
		}
		h.requests[c.Token] += n
		h.most = max(h.most, h.requests[c.Token])
	}
	timer := time.AfterFunc(settled, func() { count(1) })
	defer func() {
		if !timer.Stop() {
			count(-1)
		}
	}()
	hmpsim.Hang()(w, r, c)
}

// atOnce returns the most requests that one token ever had at once.
func (h *hanging) atOnce() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.most
}
