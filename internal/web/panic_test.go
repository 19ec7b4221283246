package web

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-kit/log"

	"hmp_exporter/collector"
	"hmp_exporter/internal/canary"
)

// A broken Collector panics when it is asked for anything.
type broken struct {
	fake
	panics func()
}

func (b *broken) Probe(collector.Request) ([]collector.Result, error) {
	b.panics()
	return nil, nil
}

func (b *broken) Summaries() []collector.Summary {
	b.panics()
	return nil
}

// TestPagePanics is that a defect costs a page its answer and nothing else: it is
// told once in the log, with its stack and without what might be a secret.
func TestPagePanics(t *testing.T) {
	for _, c := range []struct {
		name   string
		panics func()
		logged string
	}{
		{"text", func() { panic("CANARY-token") }, "panic=string"},
		{"error", func() { panic(errors.New("CANARY-token")) }, "panic=*errors.errorString"},
		{"defect that the runtime finds", func() { results := someResults(0); _ = results[len(results)+3] }, `panic="runtime error: index out of range [3] with length 0"`},
		{"nil", func() { panic(nil) }, "panic=\"panic called with nil argument"}, //nolint:govet // that is the test
	} {
		for _, path := range []string{"/metrics", "/probe?target=studio", "/"} {
			t.Run(c.name+" "+path, func(t *testing.T) {
				logged := canary.NewLog(t)
				server := httptest.NewServer(handlerOf(t, &broken{panics: c.panics}, maxRequests(1), func(o *Options) {
					o.Logger = log.NewLogfmtLogger(log.NewSyncWriter(logged))
				}))
				defer server.Close()
				client := newClient(t)
				const times = 3
				for range times { // so that no permit is lost
					got := do(t, client, http.MethodGet, server.URL+path)
					got.want(t, http.StatusInternalServerError, "a defect of it: its log has a line about it")
					got.safe(t)
				}
				do(t, client, http.MethodGet, server.URL+"/-/healthy").want(t, http.StatusOK)
				if n := strings.Count(logged.String(), "\n"); n != times {
					t.Errorf("the log has %d lines, want one each time:\n%.500s", n, logged)
				}
				for _, want := range []string{c.logged, "TestPagePanics", `page="GET ` + strings.Split(path, "?")[0]} {
					if !strings.Contains(logged.String(), want) {
						t.Errorf("the log does not say %s:\n%.500s", want, logged)
					}
				}
			})
		}
	}
}

// TestPanicInAnAnswer is that an answer which has begun does not look whole.
func TestPanicInAnAnswer(t *testing.T) {
	for name, what := range map[string]any{"a defect": errors.New("CANARY"), "on purpose": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			logged := canary.NewLog(t)
			server := httptest.NewUnstartedServer(protect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "hmp_up 1\n")
				_ = http.NewResponseController(w).Flush()
				panic(what)
			}), log.NewLogfmtLogger(logged)))
			server.Start()
			defer server.Close()
			got, err := try(t.Context(), t, newClient(t), http.MethodGet, server.URL)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got all of %d %q, %v", got.status, got.body, err)
			}
			if lines := strings.Count(logged.String(), "\n"); (lines == 1) != (name == "a defect") {
				t.Errorf("the log has %d lines:\n%s", lines, logged)
			}
		})
	}
}
