package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"

	"hmp_exporter/collector"
	"hmp_exporter/internal/canary"
)

func maxRequests(n int) func(*Options) { return func(o *Options) { o.MaxRequests = n } }

// TestHungTargetsTakeNoPlaces has 80 of 100 HMPs hang, with as many scrapes of each as may
// be under way: the others are all answered, as is the telemetry path.
func TestHungTargetsTakeNoPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, hung = 3, 80
		f := &fake{results: someResults(1), gate: make(chan struct{}), healthy: func(target string) bool {
			n, err := strconv.Atoi(strings.TrimPrefix(target, "hmp-"))
			return err != nil || n >= hung
		}}
		p := servePiped(t, handlerOf(t, f, maxRequests(most)))
		begin := func(target int) scrape {
			return p.begin(t, http.MethodGet, fmt.Sprintf("/probe?target=hmp-%d", target))
		}
		var hanging []scrape
		for range most {
			for target := range hung {
				hanging = append(hanging, begin(target))
			}
		}
		synctest.Wait()
		(<-begin(0).answer).want(t, http.StatusServiceUnavailable)
		var healthy []scrape
		for range 3 {
			for target := hung; target < 100; target++ {
				healthy = append(healthy, begin(target))
			}
		}
		for _, s := range healthy {
			(<-s.answer).want(t, http.StatusOK, playout)
		}
		(<-p.scrape(t).answer).want(t, http.StatusOK, `hmp_exporter_scrapes_refused_total{path="/probe"} 1`)
		close(f.gate)
		for _, s := range hanging {
			(<-s.answer).want(t, http.StatusOK, playout)
		}
	})
}

// TestMaxRequests is that no more scrapes of a target than the limit are under way, whoever
// wants them, and that refused scrapes are counted by path, and logged once a minute.
func TestMaxRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := canary.NewLog(t)
		f := &fake{results: someResults(1), gate: make(chan struct{})}
		p := servePiped(t, handlerOf(t, f, maxRequests(2), func(o *Options) { o.Logger = log.NewLogfmtLogger(logged) }))
		counts := func(want string) {
			t.Helper()
			got := do(t, p.client, http.MethodGet, "http://localhost/metrics?name[]="+collector.ScrapesRefused)
			got.want(t, http.StatusOK, want)
		}
		f.healthy = func(target string) bool { return target == "" }
		counts("{path=\"/metrics\"} 0\n" + collector.ScrapesRefused + "{path=\"/probe\"} 0\n" +
			collector.ScrapesRefused + "{path=\"/probe-all\"} 0\n" +
			collector.ScrapesRefused + "{path=\"/retry-login\"} 0\n" + collector.ScrapesRefused + "{path=\"/session\"} 0\n")

		first, second := p.begin(t, http.MethodGet, "/probe?target=studio"), p.begin(t, http.MethodPost, playoutPage)
		synctest.Wait()
		refused := func() {
			t.Helper()
			for _, c := range []struct{ method, path string }{
				{http.MethodGet, "/probe?target=studio"},
				{http.MethodGet, "/probe?target=studio&session=playout"},
				{http.MethodPost, "/session?target=studio"},
				{http.MethodPost, "/retry-login?target=studio&session=playout"},
			} {
				got := do(t, p.client, c.method, "http://localhost"+c.path)
				got.want(t, http.StatusServiceUnavailable, "2 scrapes of target studio are under way, which is the limit of --web.max-requests\n")
				if got.header.Get("Content-Type") != textType || got.header.Get("Retry-After") != "1" {
					t.Errorf("the header is %q", got.header)
				}
			}
		}
		refused()
		for _, query := range []string{"target=nowhere", "target=nowhere&session=playout"} {
			do(t, p.client, http.MethodGet, "http://localhost/probe?"+query).want(t, http.StatusNotFound, "unknown target")
		}
		counts(`{path="/metrics"} 0`)
		counts(`{path="/probe"} 2`)
		counts(`{path="/session"} 1`)
		counts(`{path="/retry-login"} 1`)
		if n := strings.Count(logged.String(), "level=warn"); n != 3 {
			t.Errorf("the log has %d warnings, want one for each path:\n%s", n, logged)
		}
		time.Sleep(time.Minute) // of the fake clock
		refused()
		if n := strings.Count(logged.String(), "level=warn"); n != 6 {
			t.Errorf("the log has %d warnings after a minute, want 6:\n%s", n, logged)
		}

		f.gate <- struct{}{} // one of the two is answered
		synctest.Wait()
		third := p.begin(t, http.MethodGet, "/probe?target=studio")
		synctest.Wait()
		refused()

		third.cancel() // the place is free only when the probe has ended
		synctest.Wait()
		refused()
		close(f.gate)
		synctest.Wait()
		(<-first.answer).want(t, http.StatusOK, playout)
		(<-second.answer).want(t, http.StatusSeeOther)
		if r, answered := <-third.answer; answered {
			t.Errorf("the scraper that hung up was answered with %d", r.status)
		}
		for range 3 {
			do(t, p.client, http.MethodGet, "http://localhost/probe?target=studio").want(t, http.StatusOK, playout)
		}
	})
}

// TestMaxRequestsOfTelemetryPath is that the telemetry path has a limit of its own, with its
// own name.
func TestMaxRequestsOfTelemetryPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{results: someResults(1), gate: make(chan struct{}), healthy: func(target string) bool { return target != "" }}
		p := servePiped(t, handlerOf(t, f, maxRequests(1)))
		first := p.scrape(t)
		synctest.Wait()
		do(t, p.client, http.MethodGet, "http://localhost/metrics").want(t, http.StatusServiceUnavailable,
			"1 scrapes of /metrics are under way, which is the limit of --web.max-requests\n")
		for _, path := range []string{"/probe?target=studio", "/-/healthy"} {
			do(t, p.client, http.MethodGet, "http://localhost"+path).want(t, http.StatusOK)
		}
		close(f.gate)
		(<-first.answer).want(t, http.StatusOK, playout)
		synctest.Wait()
		do(t, p.client, http.MethodGet, "http://localhost/metrics").want(t, http.StatusOK, `{path="/metrics"} 1`)
	})
}

// TestLimiterForgets is that a limiter keeps nothing of targets that nobody scrapes.
func TestLimiterForgets(t *testing.T) {
	l := newLimiter(2, log.NewNopLogger(), probePath)
	for target := range 1000 {
		if !l.take(strconv.Itoa(target)) {
			t.Fatal("a first scrape is refused")
		}
		l.end(strconv.Itoa(target))
	}
	if n := len(l.underWay); n != 0 {
		t.Errorf("it keeps %d targets", n)
	}
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
				do(t, p.client, http.MethodGet, "http://localhost"+path).want(t, http.StatusServiceUnavailable)
				time.Sleep(2 * time.Second) // of the fake clock
				do(t, p.client, http.MethodGet, "http://localhost"+path).want(t, http.StatusOK, playout)
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
