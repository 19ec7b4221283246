package web

import (
	"net/http"
	"testing"
	"testing/synctest"
)

// TestDrain is that who is told to end answers the scrapes that are under way, on
// new connections and kept ones, and no others.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{results: someResults(10), gate: make(chan struct{})}
		p := servePiped(t, handlerOf(t, f))

		// Two connections that have had a scrape each, and are used for the next.
		for range 2 {
			first, second := p.scrape(t), p.scrape(t)
			synctest.Wait()
			f.gate <- struct{}{}
			f.gate <- struct{}{}
			synctest.Wait()
			(<-first.answer).want(t, http.StatusOK)
			(<-second.answer).want(t, http.StatusOK)
		}
		if n := p.dialled.Load(); n != 2 {
			t.Errorf("four scrapes took %d connections, want two that were kept", n)
		}
		scrapes := []scrape{p.scrape(t), p.scrape(t), p.scrape(t)}
		synctest.Wait()
		if n := p.dialled.Load(); n != 3 {
			t.Errorf("there are %d connections, want two that were kept and a new one", n)
		}

		p.stop()
		synctest.Wait()
		select {
		case <-p.ended:
			t.Fatalf("Serve has ended before its scrapes: %v", p.err)
		default:
		}
		if _, err := try(t.Context(), t, p.client, http.MethodGet, "http://localhost/metrics"); err == nil {
			t.Error("a new connection was accepted")
		}

		close(f.gate)
		for _, s := range scrapes {
			got := <-s.answer
			got.want(t, http.StatusOK, playout)
			if n := len(got.series(t, "hmp_up")); n != 10 {
				t.Errorf("the answer has %d sessions, want all 10", n)
			}
		}
		<-p.ended
		if p.err != nil {
			t.Errorf("Serve: %v", p.err)
		}
	})
}

func TestDrainOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := servePiped(t, handlerOf(t, new(fake)))
		p.stop()
		<-p.ended
		if p.err != nil {
			t.Errorf("Serve: %v", p.err)
		}
	})
}
