package web

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func maxRequests(n int) func(*Options) { return func(o *Options) { o.MaxRequests = n } }

func TestMaxRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{results: someResults(1), gate: make(chan struct{})}
		p := servePiped(t, handlerOf(t, f, maxRequests(2)))
		get := func(path string) reply { return do(t, p.client, http.MethodGet, "http://localhost"+path) }
		refused := func() {
			t.Helper()
			for _, path := range []string{"/metrics", "/probe?target=studio"} {
				got := get(path)
				got.want(t, http.StatusServiceUnavailable, "2 scrapes are under way, which is the limit of --web.max-requests\n")
				if got := got.header.Get("Content-Type"); got != textType {
					t.Errorf("Content-Type %q, want %q", got, textType)
				}
			}
		}

		first, second := p.scrape(t), p.scrape(t)
		synctest.Wait()
		refused()
		get("/-/healthy").want(t, http.StatusOK) // which is no scrape

		f.gate <- struct{}{} // one of the two is answered
		synctest.Wait()
		third := p.scrape(t)
		synctest.Wait()
		refused()

		third.cancel() // hanging up gives no probe back before it has ended
		synctest.Wait()
		refused()
		close(f.gate)
		synctest.Wait()
		for _, s := range []scrape{first, second} {
			(<-s.answer).want(t, http.StatusOK, playout)
		}
		if r, answered := <-third.answer; answered {
			t.Errorf("the scraper that hung up was answered with %d", r.status)
		}
		for range 3 {
			get("/metrics").want(t, http.StatusOK, playout)
		}
	})
}

func TestNoMaxRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{results: someResults(1), gate: make(chan struct{})}
		p := servePiped(t, handlerOf(t, f))
		var scrapes []scrape
		for range 100 {
			scrapes = append(scrapes, p.scrape(t))
		}
		synctest.Wait()
		close(f.gate)
		for _, s := range scrapes {
			(<-s.answer).want(t, http.StatusOK, playout)
		}
	})
}

// TestScraperThatDoesNotRead is that one who asks and takes no answer is not waited
// for longer than writeTimeout.
func TestScraperThatDoesNotRead(t *testing.T) {
	for _, path := range []string{"/metrics", "/probe?target=studio"} {
		t.Run(path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := servePiped(t, handlerOf(t, &fake{results: someResults(10)}, maxRequests(1)))
				conn, err := p.pipe.DialContext(t.Context(), "tcp", "localhost:80")
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if _, err := conn.Write([]byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
					t.Fatal(err)
				}
				time.Sleep(writeTimeout - time.Second) // of the fake clock
				do(t, p.client, http.MethodGet, "http://localhost/metrics").want(t, http.StatusServiceUnavailable)
				time.Sleep(2 * time.Second) // of the fake clock
				do(t, p.client, http.MethodGet, "http://localhost/metrics").want(t, http.StatusOK, playout)
			})
		})
	}
}

// TestSlowAnswerOnKeptConnection is that the time for reading an answer begins with
// the answer, on each scrape of a connection anew.
func TestSlowAnswerOnKeptConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{results: someResults(1), gate: make(chan struct{})}
		p := servePiped(t, handlerOf(t, f))
		for range 3 {
			s := p.scrape(t)
			time.Sleep(3 * writeTimeout) // of the fake clock
			f.gate <- struct{}{}
			(<-s.answer).want(t, http.StatusOK, playout)
			time.Sleep(3 * writeTimeout) // of the fake clock
			do(t, p.client, http.MethodGet, "http://localhost/-/healthy").want(t, http.StatusOK)
		}
	})
}
