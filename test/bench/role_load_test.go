package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLoadAsksForEach is that every request is made, and that no session is asked about
// twice at once.
func TestLoadAsksForEach(t *testing.T) {
	for _, c := range []struct {
		name  string
		order loadOrder
		want  map[string]int
	}{
		{"one", loadOrder{Sessions: 1, Workers: 1, Times: 3}, map[string]int{"s00000": 3}},
		{"one for each worker", loadOrder{Sessions: 2, Workers: 2, Times: 6}, map[string]int{"s00000": 3, "s00001": 3}},
		{"more than workers", loadOrder{Sessions: 4, Workers: 3, Times: 4}, map[string]int{"s00000": 1, "s00001": 1, "s00002": 1, "s00003": 1}},
		{"not from the first on", loadOrder{First: 10, Sessions: 2, Workers: 2, Times: 2}, map[string]int{"s00010": 1, "s00011": 1}},
		{"spread", loadOrder{Sessions: 3, Times: 3, Over: time.Millisecond}, map[string]int{"s00000": 1, "s00001": 1, "s00002": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			got, under := make(map[string]int), make(map[string]bool)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				session := strings.TrimPrefix(r.URL.Path, "/")
				mu.Lock()
				if under[session] {
					t.Errorf("session %s is asked about twice at once", session)
				}
				under[session] = true
				got[session]++
				mu.Unlock()
				defer func() {
					mu.Lock()
					under[session] = false
					mu.Unlock()
				}()
			}))
			defer server.Close()
			c.order.URL, c.order.Deadline, c.order.Timeout = server.URL+"/{session}", time.Minute, time.Minute
			if _, err := (load{make(map[clientKey]*http.Client)}).run(c.order); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("requests by session (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSpread is that requests start at their times, however long the others take.
func TestSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		var got []time.Duration
		loadOrder{Times: 4, Over: 8 * time.Second}.spread(t.Context(), func(int) {
			mu.Lock()
			got = append(got, time.Since(start))
			mu.Unlock()
			time.Sleep(7 * time.Second) // of the fake clock
		})
		if diff := cmp.Diff([]time.Duration{0, 2 * time.Second, 4 * time.Second, 6 * time.Second}, got); diff != "" {
			t.Errorf("starts (-want +got):\n%s", diff)
		}
		if got := time.Since(start); got != 13*time.Second {
			t.Errorf("it ended after %s, want 13s", got)
		}
	})
}

// TestLoadStops is that the first wrong answer ends an order, and is its error.
func TestLoadStops(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, err := (load{make(map[clientKey]*http.Client)}).run(loadOrder{
		URL: server.URL, Sessions: 4, Workers: 4, Times: 1000, Deadline: time.Minute, Timeout: time.Minute,
	})
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v, want one of the answers", err)
	}
}
