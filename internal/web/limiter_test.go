package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hmp_exporter/collector"
	"hmp_exporter/internal/canary"
)

// TestMaxRequests is that the limit holds for all scrapes of a target together, that refused
// scrapes are counted by path, and that the log tells of them once a minute.
func TestMaxRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := canary.NewLog(t)
		f := &fake{results: validResults(1), gates: map[string]chan struct{}{"studio": make(chan struct{})}}
		s := newPipeServer(t, newHandler(t, f, maxRequests(2), logTo(logged)), "", nil)
		checkCounts := func(want map[string]int) {
			t.Helper()
			for path, n := range want {
				s.get("/metrics?name[]="+collector.ScrapesRefused).want(t, http.StatusOK, fmt.Sprintf("{path=%q} %d\n", path, n))
			}
		}
		checkCounts(map[string]int{"/metrics": 0, "/probe": 0, "/probe-all": 0, "/retry-login": 0, "/session": 0})

		first, second := s.begin(http.MethodGet, "/probe?target=studio"), s.begin(http.MethodPost, playoutPage)
		synctest.Wait()
		checkRefused := func() {
			t.Helper()
			for _, c := range []struct{ method, path string }{
				{http.MethodGet, "/probe?target=studio"},
				{http.MethodGet, "/probe?target=studio&session=playout"},
				{http.MethodPost, "/session?target=studio"},
				{http.MethodPost, "/retry-login?target=studio&session=playout"},
			} {
				got := s.do(c.method, c.path)
				got.want(t, http.StatusServiceUnavailable, "2 scrapes of target \"studio\" are under way, which is the limit of --web.max-requests\n")
				got.checkHeader(t)
				if got.header.Get("Retry-After") != "1" {
					t.Errorf("the header is %q", got.header)
				}
			}
		}
		checkRefused()
		s.get("/probe?target=tower").want(t, http.StatusOK, playout) // has places of its own
		checkCounts(map[string]int{"/metrics": 0, "/probe": 2, "/session": 1, "/retry-login": 1})
		if n := strings.Count(logged.String(), "level=warn"); n != 3 {
			t.Errorf("the log has %d warnings, want one for each path:\n%s", n, logged)
		}
		time.Sleep(time.Minute) // of the fake clock
		checkRefused()
		if n := strings.Count(logged.String(), "level=warn"); n != 6 {
			t.Errorf("the log has %d warnings after a minute, want 6:\n%s", n, logged)
		}

		f.gates["studio"] <- struct{}{} // one of the two is answered
		synctest.Wait()
		third := s.begin(http.MethodGet, "/probe?target=studio")
		synctest.Wait()
		third.cancel() // its place stays taken until the probe has ended
		synctest.Wait()
		checkRefused()
		close(f.gates["studio"])
		synctest.Wait()
		(<-first.answer).want(t, http.StatusOK, playout)
		(<-second.answer).want(t, http.StatusSeeOther)
		if r, answered := <-third.answer; answered {
			t.Errorf("the scraper that hung up was answered with %d", r.status)
		}
	})
}

// TestLimiterForgets is that a limiter keeps nothing of targets that nobody scrapes.
func TestLimiterForgets(t *testing.T) {
	l := newLimiter(2, nil, probePath)
	for target := range 1000 {
		if !l.acquire(nil, probePath, strconv.Itoa(target)) {
			t.Fatal("a first scrape is refused")
		}
		l.release(strconv.Itoa(target))
	}
	if n := len(l.underWay); n != 0 {
		t.Errorf("it keeps %d targets", n)
	}
}

// TestMaxRequestsOfAllSessions is that the button that probes all sessions and the telemetry path
// share a limit, and that the answer names what they share.
func TestMaxRequestsOfAllSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{results: validResults(1), gates: map[string]chan struct{}{"": make(chan struct{})}}
		s := newPipeServer(t, newHandler(t, f, maxRequests(1)), "", nil)
		scrape := s.begin(http.MethodGet, "/metrics")
		synctest.Wait()
		s.do(http.MethodPost, "/probe-all").want(t, http.StatusServiceUnavailable, "1 scrapes of all sessions are under way, ")
		close(f.gates[""])
		(<-scrape.answer).want(t, http.StatusOK)
	})
}
