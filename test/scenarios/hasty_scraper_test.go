package scenarios

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"hmp_exporter/internal/hmpsim"
)

// TestHastyScraper has a scraper whose header leaves a millisecond, or less than
// a second, again and again. It is
// answered, and that is all: it starts no login, adds no line to the log and no timeout to
// the page, and spoils no scrape of a scraper with patience.
func TestHastyScraper(t *testing.T) {
	t.Parallel()
	const scrapers, hastyScrapes, scrapes = 4, 30, 10
	sessions := numbered("fixed", 10)
	hmp := hmpWith(sessions, hmpsim.Delay(20*time.Millisecond, valid))
	hmp.AddKey(secretOf("key"), secretOf("key-secret"), hmpsim.PerMethod(valid, hmpsim.Delay(500*time.Millisecond, valid)))
	e := start(t, "", "targets:\n"+targetOf("studio", serve(t, hmp), sessions)+
		fmt.Sprintf("      - {name: keyed, api_key: %s, api_secret: %s}\n", secretOf("key"), secretOf("key-secret")))

	hammer := func() (wrong int) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range scrapers {
			wg.Go(func() {
				for i := range hastyScrapes {
					timeout := time.Millisecond
					if i%10 == 0 {
						timeout = 400 * time.Millisecond // enough for a GET, and not for a login
					}
					if p := e.scrape(t, "/metrics", timeout); p.status != 200 || len(p.results()) != 11 {
						mu.Lock()
						wrong++
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		return wrong
	}
	timeouts := func() int {
		_, page := e.Get(t, "/")
		return strings.Count(page, "timeout")
	}

	seen, before := timeouts(), len(e.Log.String())
	wrong := hammer()
	logins := hmp.Stats().POSTs
	patient := make(counts)
	patient.add(e.scrape(t, "/metrics", 10*time.Second).of("studio"))
	grown := strings.Count(e.Log.String()[before:], "\n")

	before = len(e.Log.String())
	var wg sync.WaitGroup
	wg.Go(func() { wrong += hammer() })
	for range scrapes {
		patient.add(e.scrape(t, "/metrics", 10*time.Second).of("studio"))
	}
	wg.Wait()
	grown += strings.Count(e.Log.String()[before:], "\n")
	painted := timeouts() - seen
	t.Logf("%d hasty scrapes: %d not answered, %d logins before a patient one, %d lines of log, %d more timeouts on the page; results of patient scrapes: %v",
		2*scrapers*hastyScrapes, wrong, logins, grown, painted, patient)
	if wrong > 0 || logins > 0 || grown > 0 || painted > 0 {
		t.Error("a hasty scraper leaves traces")
	}
	if !patient.only((1+scrapes)*11, "valid") {
		t.Errorf("the results of patient scrapes are %v, want valid", patient)
	}
}
