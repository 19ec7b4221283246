package web

import (
	"context"
	"net/http"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hmp_exporter/internal/canary"
	"hmp_exporter/internal/hmpsim"
)

const (
	scrapers = 500
	permits  = 40
	refusal  = " are under way, which is the limit of --web.max-requests\n"
)

// TestScrapersAtOnce has 500 scrapers come while none can be answered: 40 of each path wait
// for their answers, the others are refused and told why, and none costs much memory.
func TestScrapersAtOnce(t *testing.T) {
	// A connection costs two goroutines and two buffers of 4 kB, here at both its
	// ends. What a scrape costs beyond that, only those with a permit do.
	const most = 64 << 10

	r, g := newGated(t)
	before := memory()
	var callers []*caller
	for i := range scrapers {
		c := r.dial()
		c.ask(t, []string{"/metrics", "/probe?target=studio"}[i%2])
		callers = append(callers, c)
	}
	answers := make(chan reply, scrapers)
	for _, c := range callers {
		go func() {
			got, err := c.answer(t)
			if err != nil {
				t.Errorf("a scraper got no answer: %v", err)
			}
			answers <- got
		}()
	}
	for range scrapers - 2*permits {
		(<-answers).want(t, http.StatusServiceUnavailable, refusal)
	}
	g.await(t, 2*permits)
	if each := (memory() - before) / scrapers; each > most {
		t.Errorf("a scraper costs %d bytes, want %d at most", each, most)
	} else {
		t.Logf("a scraper costs %d bytes", each)
	}
	r.get("/-/healthy").want(t, http.StatusOK) // which needs no permit

	g.release()
	for range 2 * permits {
		(<-answers).want(t, http.StatusOK, playout)
	}
	r.atOnce(g)
}

// memory is what this process uses, in bytes.
func memory() int {
	runtime.GC()
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(samples)
	return int(samples[0].Value.Uint64() + samples[1].Value.Uint64())
}

// TestStorm has 500 scrapers ask as fast as they can, on kept connections and on
// new ones. The HMP sees one probe of a session at a time.
func TestStorm(t *testing.T) {
	const each = 2
	for _, c := range []struct {
		name string
		kept bool
	}{
		{"kept connections", true},
		{"new connections", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newServed(t, fleet, maxRequests(permits))
			for _, session := range []string{"playout", "archive", "relay"} {
				r.sim.SetToken("CANARY-"+session, hmpsim.Delay(20*time.Millisecond, valid()))
			}
			transport := r.client.Transport.(*http.Transport)
			transport.DisableKeepAlives, transport.MaxIdleConnsPerHost = !c.kept, scrapers

			var answered, refused atomic.Int32
			var group sync.WaitGroup
			for i := range scrapers {
				group.Go(func() {
					for n := range each {
						path := []string{"/metrics", "/probe?target=studio", "/probe?target=tower&session=relay"}[(i+n)%3]
						got, err := try(t.Context(), t, r.client, http.MethodGet, r.url+path)
						switch {
						case err != nil:
							t.Errorf("a scraper got no answer: %v", err)
						case got.status == http.StatusServiceUnavailable && strings.HasPrefix(got.body, "40 scrapes of ") && strings.HasSuffix(got.body, refusal):
							refused.Add(1)
						default:
							got.want(t, http.StatusOK, "hmp_session_valid{")
							answered.Add(1)
						}
					}
				})
			}
			group.Wait()
			t.Logf("%d scrapes were answered, %d refused", answered.Load(), refused.Load())
			if answered.Load() == 0 || refused.Load() == 0 {
				t.Error("want some of both")
			}
			for name, account := range r.sim.Stats().Accounts {
				if account.MaxConcurrent != 1 {
					t.Errorf("%s: the HMP saw %d probes at once, want 1", name[len(canary.Word):], account.MaxConcurrent)
				}
				if account.GETs > int(answered.Load())/4 {
					t.Errorf("%s: %d probes for %d scrapes", name[len(canary.Word):], account.GETs, answered.Load())
				}
			}
		})
	}
}

// atOnce has as many scrapers be under way at once as may, and all be answered. One
// that is refused asks again: scrapes before may need a moment to end.
func (r *rig) atOnce(g *gate) {
	r.t.Helper()
	g.shut()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	var group sync.WaitGroup
	for range permits {
		group.Go(func() {
			for {
				got, err := try(ctx, r.t, r.client, http.MethodGet, r.url+"/metrics")
				if err != nil {
					r.t.Errorf("a scraper got no answer: %v", err)
					return
				}
				if got.status != http.StatusServiceUnavailable {
					got.want(r.t, http.StatusOK, playout)
					return
				}
			}
		})
	}
	g.await(r.t, permits)
	g.release()
	group.Wait()
}
