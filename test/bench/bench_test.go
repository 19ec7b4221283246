//go:build linux

// Package bench measures what a scrape costs hmp_exporter, blackbox_exporter, json_exporter and the
// baseline. The baseline is a program that does the least that an exporter can do. `make bench-peers` runs it and
// writes the figures into docs/performance.md.
//
// Each program is a process of its own, so the CPU time and the memory of the process are those of its
// scrapes. The simulated HMP and the scrapers are in the process of the benchmark.
//
// The programs take turns: in each round, each program answers its scrapes. If something disturbs the
// machine for a while, it disturbs all programs alike.
//
// Each answer is checked. A wrong answer fails the benchmark, and so does a scrape
// that did not make exactly one GET for each session.
package bench

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

var (
	rounds      = flag.Int("rounds", 7, "how often each program is measured")
	maxSessions = flag.Int("max-sessions", 10_000, "the largest number of sessions in one scrape")
)

// BenchmarkProbe scrapes one session at a time. Each scraper has a session of its own, because
// scrapes of the same session share a probe. The two peers cannot keep connections to the HMP. They
// are in the rounds with kept connections too, for the comparison.
func BenchmarkProbe(b *testing.B) {
	for _, transport := range []string{"http", "TLS"} {
		for _, connections := range []string{"new", "kept"} {
			b.Run("transport="+transport+"/connections="+connections, func(b *testing.B) {
				s := setup{startHMP(b), transport, connections == "kept", sessionNames(16)}
				var programs []*program
				for _, name := range []string{baseline, ours, blackbox, jsonExporter} {
					p := newProgram(b, s, name)
					programs = append(programs, p)
					p.start(b)
					p.scrape(b, p.probe, 200, 16)
				}
				for _, scrapers := range []int{1, 16} {
					b.Run(fmt.Sprintf("scrapers=%d", scrapers), func(b *testing.B) {
						takeTurns(b, programs, func(b *testing.B, p *program) { p.measure(b, p.probe, scrapers) })
					})
				}
			})
		}
	}
}

// BenchmarkMetrics scrapes all sessions at once, on kept connections. The baseline makes as many GETs.
func BenchmarkMetrics(b *testing.B) {
	for _, transport := range []string{"http", "TLS"} {
		for _, n := range []int{1000, 10_000} {
			b.Run(fmt.Sprintf("transport=%s/sessions=%d", transport, n), func(b *testing.B) {
				s := setup{startHMP(b), transport, true, sessionNames(min(n, *maxSessions))}
				minimal, exporter := newProgram(b, s, baseline), newProgram(b, s, ours)
				minimal.start(b)
				exporter.start(b)
				exporter.scrape(b, exporter.metrics, 60, 1) // then the history of each session is full
				takeTurns(b, []*program{minimal, exporter}, func(b *testing.B, p *program) { p.measure(b, p.metrics, 1) })
			})
		}
	}
}

// BenchmarkPayload scrapes one session whose body is large. It compares the memory with that after
// scrapes of a small session.
func BenchmarkPayload(b *testing.B) {
	for _, payload := range payloads {
		b.Run("size="+payload.name, func(b *testing.B) {
			s := setup{startHMP(b), "http", true, []string{payload.name, "s00000"}}
			var programs []*program
			idle := make(map[*program]float64)
			for _, name := range []string{baseline, ours, blackbox, jsonExporter} {
				p := newProgram(b, s, name)
				programs = append(programs, p)
				p.start(b)
				small := p.probe
				small.scraped = []string{"s00000"}
				p.scrape(b, small, 1000, 1)
				idle[p] = p.memory(b, "VmRSS")
			}
			takeTurns(b, programs, func(b *testing.B, p *program) {
				peak := p.measure(b, p.probe, 1)
				b.ReportMetric(peak-idle[p], "over-idle-B")
			})
		})
	}
}

// BenchmarkStart starts a program and scrapes one session. The scrape is sent before the process
// listens.
func BenchmarkStart(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprintf("sessions=%d", n), func(b *testing.B) {
			s := setup{startHMP(b), "http", true, sessionNames(min(n, *maxSessions))}
			programs := []*program{newProgram(b, s, ours), newProgram(b, s, blackbox), newProgram(b, s, jsonExporter)}
			takeTurns(b, programs, func(b *testing.B, p *program) {
				binary, err := os.Stat(p.path)
				must(b, err)
				b.ReportMetric(float64(binary.Size()), "program-B")
				for range b.N {
					p.start(b)
					p.scrape(b, p.probe, 1, 1)
					b.StopTimer()
					b.ReportMetric(p.memory(b, "VmRSS"), "RSS-B")
					p.stop()
					b.StartTimer()
				}
			})
		})
	}
}

// takeTurns measures each program once in each round.
func takeTurns(b *testing.B, programs []*program, measure func(*testing.B, *program)) {
	for round := range *rounds {
		for _, p := range programs {
			b.Run(fmt.Sprintf("round=%d/program=%s", round+1, p.name), func(b *testing.B) { measure(b, p) })
		}
	}
}

// measure makes b.N scrapes, reports what each cost the program, and returns the peak of its memory.
func (p *program) measure(b *testing.B, r request, scrapers int) (peak float64) {
	p.resetPeak(b)
	gets, cpu := p.hmp.sim.Stats().GETs, p.cpu(b)
	b.ResetTimer()
	p.scrape(b, r, b.N, scrapers)
	b.StopTimer()
	b.ReportMetric(float64(p.cpu(b)-cpu)/float64(b.N), "cpu-ns/op")
	peak = p.memory(b, "VmHWM")
	b.ReportMetric(peak, "peak-B")
	if got, want := p.hmp.sim.Stats().GETs-gets, b.N*r.sessions; got != want {
		b.Fatalf("%s made %d GETs, want %d", p.name, got, want)
	}
	return peak
}

// A request is a scrape, and what its answer must contain.
type request struct {
	path     string   // {session} stands for the name of a session
	scraped  []string // the session of each scraper
	line     string   // what a line of the answer begins with, if the session is valid; its value is 1
	sessions int      // how many such lines there are, and GETs at the HMP
}

// scrape makes n scrapes.
func (p *program) scrape(b *testing.B, r request, n, scrapers int) {
	group, ctx := errgroup.WithContext(b.Context())
	for first := range scrapers {
		group.Go(func() (err error) {
			var body bytes.Buffer
			session := r.scraped[first%len(r.scraped)]
			for i := first; i < n && err == nil; i += scrapers {
				err = r.scrape(ctx, p.url, session, &body)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatalf("%s: %v", p.name, err)
	}
}

var (
	scrapeClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	// scrapeHeader is that of Prometheus 3. The client adds "Accept-Encoding: gzip".
	scrapeHeader = http.Header{
		"Accept": {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
			"application/openmetrics-text;version=0.0.1;q=0.5," +
			"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"},
		"User-Agent":                          {"Prometheus/3.9.0"},
		"X-Prometheus-Scrape-Timeout-Seconds": {"60"},
	}
)

func (r request) scrape(ctx context.Context, url, session string, body *bytes.Buffer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+strings.ReplaceAll(r.path, "{session}", session), nil)
	if err != nil {
		return err
	}
	req.Header = scrapeHeader.Clone()
	resp, err := scrapeClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body.Reset()
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("session %s: %s: %.300s", session, resp.Status, body)
	}
	return r.check(body.Bytes(), session)
}

// check fails unless each session is valid.
func (r request) check(text []byte, session string) error {
	want := []byte(strings.ReplaceAll(r.line, "{session}", session))
	valid := 0
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(bytes.TrimSpace(line), []byte(".0"))
		if bytes.HasPrefix(line, want) && bytes.HasSuffix(line, []byte(" 1")) {
			valid++
		}
	}
	if valid != r.sessions {
		return fmt.Errorf("%d lines %s… have the value 1, want %d", valid, want, r.sessions)
	}
	return nil
}

// TestCheck checks that an answer is accepted only if each session in it is valid.
func TestCheck(t *testing.T) {
	const page = "hmp_session_valid{session=\"a\"} 1.0\nhmp_session_valid{session=\"b\"} 0.0\nhmp_session_valid{session=\"c\"} 1\n"
	const one = `hmp_session_valid{session="{session}"`
	for _, c := range []struct {
		line, session string
		sessions      int
		ok            bool
	}{
		{one, "a", 1, true},
		{one, "b", 1, false},
		{one, "d", 1, false},
		{"hmp_session_valid{", "", 2, true},
		{"hmp_session_valid{", "", 3, false},
	} {
		if err := (request{line: c.line, sessions: c.sessions}).check([]byte(page), c.session); (err == nil) != c.ok {
			t.Errorf("%d lines %s of session %q: %v", c.sessions, c.line, c.session, err)
		}
	}
}
