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
		f := &fake{results: validResults(1), gate: make(chan struct{}), free: func(target string) bool { return target != "studio" }}
		s := newPipeServer(t, newHandler(t, f, maxRequests(2), logTo(logged)), "")
		checkCounts := func(want map[string]int) {
			t.Helper()
			for path, n := range want {
				s.get(t, "/metrics?name[]="+collector.ScrapesRefused).want(t, http.StatusOK, fmt.Sprintf("{path=%q} %d\n", path, n))
			}
		}
		checkCounts(map[string]int{"/metrics": 0, "/probe": 0, "/probe-all": 0, "/retry-login": 0, "/session": 0})

		first, second := s.begin(t, http.MethodGet, "/probe?target=studio"), s.begin(t, http.MethodPost, playoutPage)
		synctest.Wait()
		checkRefused := func() {
			t.Helper()
			for _, c := range []struct{ method, path string }{
				{http.MethodGet, "/probe?target=studio"},
				{http.MethodGet, "/probe?target=studio&session=playout"},
				{http.MethodPost, "/session?target=studio"},
				{http.MethodPost, "/retry-login?target=studio&session=playout"},
			} {
				got := do(t, s.client, c.method, "http://localhost"+c.path)
				got.want(t, http.StatusServiceUnavailable, "2 scrapes of target \"studio\" are under way, which is the limit of --web.max-requests\n")
				got.checkHeader(t)
				if got.header.Get("Retry-After") != "1" {
					t.Errorf("the header is %q", got.header)
				}
			}
		}
		checkRefused()
		for range 3 { // other targets have places of their own, and unknown targets need none
			s.get(t, "/probe?target=tower").want(t, http.StatusOK, playout)
			s.get(t, "/probe?target=nowhere").want(t, http.StatusNotFound, "unknown target")
		}
		checkCounts(map[string]int{"/metrics": 0, "/probe": 2, "/session": 1, "/retry-login": 1})
		if n := strings.Count(logged.String(), "level=warn"); n != 3 {
			t.Errorf("the log has %d warnings, want one for each path:\n%s", n, logged)
		}
		time.Sleep(time.Minute) // of the fake clock
		checkRefused()
		if n := strings.Count(logged.String(), "level=warn"); n != 6 {
			t.Errorf("the log has %d warnings after a minute, want 6:\n%s", n, logged)
		}

		f.gate <- struct{}{} // one of the two is answered
		synctest.Wait()
		third := s.begin(t, http.MethodGet, "/probe?target=studio")
		synctest.Wait()
		third.cancel() // its place stays taken until the probe has ended
		synctest.Wait()
		checkRefused()
		close(f.gate)
		synctest.Wait()
		(<-first.answer).want(t, http.StatusOK, playout)
		(<-second.answer).want(t, http.StatusSeeOther)
		if r, answered := <-third.answer; answered {
			t.Errorf("the scraper that hung up was answered with %d", r.status)
		}
		for range 3 {
			s.get(t, "/probe?target=studio").want(t, http.StatusOK, playout)
		}
	})
}

// TestMaxRequestsOfTelemetryPath is that the telemetry path has a limit of its own.
func TestMaxRequestsOfTelemetryPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{results: validResults(1), gate: make(chan struct{}), free: func(target string) bool { return target != "" }}
		s := newPipeServer(t, newHandler(t, f, maxRequests(1)), "")
		first := s.begin(t, http.MethodGet, "/metrics")
		synctest.Wait()
		s.get(t, "/metrics").want(t, http.StatusServiceUnavailable, "1 scrapes of /metrics are under way, which is the limit of --web.max-requests\n")
		for _, path := range []string{"/probe?target=studio", "/-/healthy", "/"} {
			s.get(t, path).want(t, http.StatusOK)
		}
		close(f.gate)
		(<-first.answer).want(t, http.StatusOK, playout)
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

// TestSlowProbe is that the time to read an answer begins after the probes, on each scrape of a
// kept connection, with and without HTTP/2.
func TestSlowProbe(t *testing.T) {
	webConfig, clientTLS := secured(t)
	for scheme, config := range map[string]string{"http": "", "https": webConfig} {
		t.Run(scheme, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{results: validResults(1), gate: make(chan struct{})}
				s := newPipeServer(t, newHandler(t, f), config)
				transport := s.client.Transport.(*http.Transport)
				transport.TLSClientConfig, transport.ForceAttemptHTTP2 = clientTLS, true
				for range 3 {
					time.AfterFunc(3*writeTimeout, func() { f.gate <- struct{}{} }) // of the fake clock
					do(t, s.client, http.MethodGet, scheme+"://localhost/metrics", "Authorization", basicAuth).want(t, http.StatusOK, playout)
					time.Sleep(3 * writeTimeout) // of the fake clock
					do(t, s.client, http.MethodGet, scheme+"://localhost/-/healthy", "Authorization", basicAuth).want(t, http.StatusOK)
				}
				if n := s.dials.Load(); n != 1 {
					t.Errorf("there were %d connections, want a kept one", n)
				}
				s.client.CloseIdleConnections()
			})
		})
	}
}
