package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"hmp_exporter/collector"
)

// sessionView is what the page of a session shows.
type sessionView struct {
	frame
	Row      row
	URL      string // of the HMP
	Labels   string // of the target
	Timeout  string
	Action   string // where to post for a probe
	Retry    string // where to post to have the login tried at once; "" if logins are not suspended
	Target   string // the status page with the sessions of the target
	Facts    []fact
	Streaks  []streak
	Last     *probeView
	Failures []probeView
}

// A fact is one thing that is known of a session.
type fact struct {
	Name, Value string
	At          moment // in place of a value
}

type streak struct {
	Verdict     verdict
	First, Last moment
	Lasted      string
	Probes      string
}

// session shows all that is kept of one session.
func (h *handler) session(w http.ResponseWriter, r *http.Request) {
	target, name, err := sessionParameters(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	history, err := h.Collector.History(target, name)
	if err != nil {
		http.Error(w, err.Error()+": the status page lists what is configured", http.StatusNotFound)
		return
	}
	now := time.Now()
	view := viewOf(&history, now)
	view.frame = h.frame(target+" / "+name, now)
	view.URL, view.Labels = h.configured(target)
	view.Row.Version = h.Collector.Version(target)
	render(w, r, sessionPage, view)
}

// probeNow probes a session, or all of a target, and leads back to where it is shown. No
// body is read: names are in the query, as for a scrape.
func (h *handler) probeNow(w http.ResponseWriter, r *http.Request) {
	target, session, err := probeParameters(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !h.beginScrape(w, sessionPath, target) {
		return
	}
	defer h.limiter.end(target)
	h.probeAndReturn(w, r, target, session)
}

// probeAll probes all sessions, and leads back to the status page.
func (h *handler) probeAll(w http.ResponseWriter, r *http.Request) {
	if !h.limiter.begin(w, allPath, "") {
		return
	}
	defer h.limiter.end("")
	h.probeAndReturn(w, r, "", "")
}

// probeAndReturn probes a session, all of a target, or all that there are, and leads to the page that
// shows it.
func (h *handler) probeAndReturn(w http.ResponseWriter, r *http.Request, target, session string) {
	if _, err := h.probeSessions(w, r, target, session); err != nil {
		unknown(w, err)
		return
	}
	back := query{Target: target}.link()
	if session != "" {
		back = sessionAction(target, session)
	}
	// Relative, as the exporter may stand behind a prefix; http.Redirect would not leave it so.
	w.Header().Set("Location", back)
	w.WriteHeader(http.StatusSeeOther)
}

// sessionParameters returns the names of the session that a request is for.
func sessionParameters(r *http.Request) (target, session string, err error) {
	target, session, err = probeParameters(r)
	if err == nil && session == "" {
		err = errors.New("parameter session is missing: name a configured session, as in /session?target=studio&session=playout")
	}
	return target, session, err
}

// sessionAction is where to post for a probe of a session, or of all of a target; and
// where the page of the session is.
func sessionAction(target, session string) string {
	return "session?" + parametersOf(target, session)
}

// parametersOf writes the parameters of a session, or of all of a target.
func parametersOf(target, session string) string {
	names := "target=" + url.QueryEscape(target)
	if session != "" {
		names += "&session=" + url.QueryEscape(session)
	}
	return names
}

// configured returns the URL of a target, which has no secret in it, and its labels.
func (h *handler) configured(target string) (base, labels string) {
	cfg := h.Store.Config()
	if cfg == nil {
		return "", ""
	}
	for _, t := range cfg.Targets {
		if t.Name == target {
			return t.URL.String(), t.Labels.String()
		}
	}
	return "", ""
}

func viewOf(h *collector.History, now time.Time) *sessionView {
	last := &h.Last
	view := &sessionView{
		Row:     rowOf(h, now),
		Timeout: latency(last.Timeout),
		Action:  sessionAction(last.Target, last.Session),
		Target:  query{Target: last.Target}.link(),
		Facts:   factsOf(last, now),
	}
	if last.Logins != nil && last.Logins.Suspended {
		view.Retry = retryAction(last.Target, last.Session)
	}
	for _, e := range h.Streaks {
		view.Streaks = append(view.Streaks, streak{
			Verdict: verdictOf(e.ResultName), First: momentOf(e.First, now, 0), Last: momentOf(e.Last, now, 0),
			Lasted: age(e.Last.Sub(e.First)), Probes: count(e.Probes, "probe"),
		})
	}
	if len(h.Points) > 0 {
		p := probeOf(last, now)
		view.Last = &p
	}
	for i := range h.Failures {
		if f := &h.Failures[i]; !f.Start.Equal(last.Start) {
			view.Failures = append(view.Failures, probeOf(f, now))
		}
	}
	return view
}
