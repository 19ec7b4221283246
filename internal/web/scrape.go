package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"hmp_exporter/collector"
)

const scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// metrics answers with the metrics of the exporter and, with ProbeSessions, of all sessions.
func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	if !h.limiter.acquire(w, h.TelemetryPath, "") {
		return
	}
	defer h.limiter.release("")
	e := exposition{self: true, names: r.URL.Query()["name[]"]}
	if h.ProbeSessions {
		e.results, _ = h.probeSessions(w, r, "", "") // without names there is no error
	}
	h.writeMetrics(w, r, e)
}

// probe answers with the metrics of one target or session.
func (h *handler) probe(w http.ResponseWriter, r *http.Request) {
	query, target, session, err := parseTarget(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !h.limiter.acquire(w, probePath, target) {
		return
	}
	defer h.limiter.release(target)
	results, err := h.probeSessions(w, r, target, session)
	if err != nil {
		unknown(w, err)
		return
	}
	h.writeMetrics(w, r, exposition{results: results, names: query["name[]"]})
}

// unknown answers a request for a target or session that is not configured.
func unknown(w http.ResponseWriter, err error) {
	http.Error(w, err.Error()+": only what is configured can be probed; /config shows it", http.StatusNotFound)
}

// probeSessions probes one session, all sessions of a target, or all sessions.
func (h *handler) probeSessions(w http.ResponseWriter, r *http.Request, target, session string) ([]collector.Result, error) {
	defer suspendWriteTimeout(w)()
	return h.Collector.Probe(collector.Request{
		Target: target, Session: session, ScrapeTimeout: r.Header.Get(scrapeTimeoutHeader),
	})
}

// parseTarget returns the query of a request, and the target and the session that it names.
// The session is "" if the request names a target only.
func parseTarget(r *http.Request) (query url.Values, target, session string, err error) {
	if query, err = parseQuery(r); err != nil {
		return nil, "", "", err
	}
	if target, err = single(query, "target"); err != nil {
		return nil, "", "", err
	}
	if session, err = single(query, "session"); err != nil {
		return nil, "", "", err
	}
	if target == "" {
		return nil, "", "", errors.New("parameter target is missing: name a configured target, as in /probe?target=studio")
	}
	return query, target, session, nil
}

// parseQuery returns the parameters of a request. [url.URL.Query] leaves out what it cannot
// parse. Without its session, a request would probe the whole target.
func parseQuery(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("the parameters are malformed: %w", err)
	}
	return query, nil
}

// single returns the value of a parameter that may be given once, or "" if it is not given.
func single(query url.Values, name string) (string, error) {
	switch values := query[name]; {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", fmt.Errorf("parameter %s is given %d times: give it once", name, len(values))
	case values[0] == "":
		return "", fmt.Errorf("parameter %s is empty: name a configured %[1]s", name)
	default:
		return values[0], nil
	}
}
