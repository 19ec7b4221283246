package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"hmp_exporter/collector"
)

const scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// metrics answers with the exporter's own metrics and, where that is wanted, those
// of all sessions.
func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	if !h.limiter.begin(w, h.TelemetryPath, "") {
		return
	}
	defer h.limiter.end("")
	var results []collector.Result
	if h.ProbeSessions {
		results, _ = h.probeSessions(w, r, "", "") // no names, no error
	}
	h.writeMetrics(w, r, exposition{results: results, own: true})
}

// probe answers with the metrics of one target or session.
func (h *handler) probe(w http.ResponseWriter, r *http.Request) {
	target, session, err := probeParameters(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !h.beginScrape(w, probePath, target) {
		return
	}
	defer h.limiter.end(target)
	results, err := h.probeSessions(w, r, target, session)
	if err != nil {
		unknown(w, err)
		return
	}
	h.writeMetrics(w, r, exposition{results: results})
}

// beginScrape reports whether a scrape of a target may begin. If not, it has answered.
func (h *handler) beginScrape(w http.ResponseWriter, path, target string) bool {
	// No session is named "", and so this asks for the target alone.
	if _, err := h.Collector.History(target, ""); errors.Is(err, collector.ErrUnknownTarget) {
		unknown(w, err)
		return false
	}
	return h.limiter.begin(w, path, target)
}

// unknown answers a request for a target or a session that is not configured.
func unknown(w http.ResponseWriter, err error) {
	http.Error(w, err.Error()+": only what is configured can be probed; /config shows it", http.StatusNotFound)
}

// probeSessions makes the probes of a scrape, for which its client waits as long as it
// likes. The time for the answer begins with it.
func (h *handler) probeSessions(w http.ResponseWriter, r *http.Request, target, session string) ([]collector.Result, error) {
	setWriteDeadline(w, time.Time{})
	defer func() { setWriteDeadline(w, time.Now().Add(writeTimeout)) }()
	return h.Collector.Probe(collector.Request{
		Target: target, Session: session, ScrapeTimeout: r.Header.Get(scrapeTimeoutHeader),
	})
}

// probeParameters returns the target and the session that a request names; the
// session is "" if it names none.
func probeParameters(r *http.Request) (target, session string, err error) {
	// Not URL.Query, which leaves out what it cannot parse: a session that is left
	// out is a probe of the whole target.
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", "", fmt.Errorf("the parameters are malformed: %w", err)
	}
	for _, p := range []struct {
		name  string
		value *string
	}{{"target", &target}, {"session", &session}} {
		values, given := query[p.name]
		switch {
		case len(values) > 1:
			return "", "", fmt.Errorf("parameter %s is given %d times: give it once", p.name, len(values))
		case given && values[0] == "":
			return "", "", fmt.Errorf("parameter %s is empty: name a configured %[1]s", p.name)
		case given:
			*p.value = values[0]
		}
	}
	if target == "" {
		return "", "", errors.New("parameter target is missing: name a configured target, as in /probe?target=studio")
	}
	return target, session, nil
}
