package web

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hmp_exporter/internal/hmpsim"
)

// TestSecretsSwapped changes two token files 200 times while they are read. Whoever
// renames the new file into place never has a scrape fail; whoever writes over the
// old one has at worst one that finds no token, or a part of one. And no session
// ever has the other's.
func TestSecretsSwapped(t *testing.T) {
	rename := func(t *testing.T, file, token string) {
		if err := os.WriteFile(file+".new", []byte(token), 0o600); err != nil {
			t.Error(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Error(err)
		}
	}
	rewrite := func(t *testing.T, file, token string) {
		f, err := os.Create(file)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		for part := range slices.Chunk([]byte(token), 10) {
			if _, err := f.Write(part); err != nil {
				t.Error(err)
			}
		}
	}
	for _, c := range []struct {
		name    string
		swap    func(t *testing.T, file, token string)
		allowed []string // results beside those of a whole token
	}{
		{"renamed", rename, nil},
		{"written over", rewrite, []string{"credentials", "unauthorized"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newServed(t, "")
			sessions := map[string]hmpsim.Behaviour{"playout": valid(), "archive": hmpsim.NoRoles()}
			want := map[string]string{"playout": "valid", "archive": "no_roles"}
			tokens := make(map[string][2]string) // by file
			for name, behaviour := range sessions {
				pair := [2]string{"CANARY-" + name + strings.Repeat("-1", 50), "CANARY-" + name + strings.Repeat("-2", 70)}
				for _, token := range pair {
					r.sim.SetToken(token, behaviour)
				}
				tokens[r.file(name+".token", pair[0])] = pair
			}
			r.file("hmp.yml", "targets: [{name: studio, url: "+r.hmp.URL+", sessions: [{name: playout, token_file: playout.token}, {name: archive, token_file: archive.token}]}]\n")
			if err := r.store.Reload(); err != nil {
				t.Fatal(err)
			}

			var scrapes atomic.Int32
			torn := make(map[string]int)
			done := make(chan struct{})
			var writers sync.WaitGroup
			for file, pair := range tokens {
				writers.Go(func() {
					for i := 0; i < 200 || scrapes.Load() < 50; i++ {
						c.swap(t, file, pair[i%2])
					}
				})
			}
			go func() {
				defer close(done)
				writers.Wait()
			}()
			scrape := func(allowed []string) {
				scrapes.Add(1)
				for _, outcome := range outcomes(t, r.get("/metrics")) {
					session, result, _ := strings.Cut(strings.TrimPrefix(outcome, "studio/"), " ")
					if result == want[session] {
						continue
					}
					torn[result]++
					if !slices.Contains(allowed, result) {
						t.Errorf("session %s: %s", session, result)
					}
				}
			}
			for swapping := true; swapping; {
				scrape(c.allowed)
				select {
				case <-done:
					swapping = false
				default:
				}
			}
			scrape(nil)
			r.get("/probe?target=studio").want(t, http.StatusOK, playout)
			t.Logf("of %d scrapes, these found a file in between: %v", scrapes.Load(), torn)
		})
	}
}
