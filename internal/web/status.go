package web

import (
	"net/http"
	"slices"
	"time"

	"hmp_exporter/collector"
)

// maxChoices is how many targets the page offers to choose from.
const maxChoices = 200

// statusView is what the status page shows.
type statusView struct {
	frame
	Sessions, Targets      int
	Valid, Problems, Fresh int // how many are valid, not valid, and not probed yet
	Tiles                  []tile
	Query                  query
	Orders                 []order
	Choices                []string // of targets; nil if there are too many
	Words                  []string // of results
	Rows                   []row
	Found, Pages           int
	From, To               int // which of those found are shown
	Previous, Next         string
	ProbesSessions         bool
	ProbeTarget            string // where to post for a probe of the target that is chosen
}

// A tile has the number of sessions with one result.
type tile struct {
	Verdict verdict
	Count   int
	Link    string
	Chosen  bool
}

// status shows what scrapes last saw of every session. It does not probe: a page that
// someone leaves open must not be a scraper.
func (h *handler) status(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	now := time.Now()
	view := h.statusView(q, now)
	view.frame = h.frame("HMP sessions", now)
	render(w, r, statusPage, view)
}

func (h *handler) statusView(q query, now time.Time) *statusView {
	all := h.Collector.Summaries()
	found := q.choose(all)
	view := &statusView{Sessions: len(all), Orders: orders, Words: gravest, Found: len(found), ProbesSessions: h.ProbeSessions}
	view.Query, view.Pages = q.paged(len(found))
	view.sum(all)
	view.turn()
	for _, g := range found[view.From:view.To] {
		if history, err := h.Collector.History(g.Target, g.Session); err == nil { // else a reload has just taken it away
			r := rowOf(&history, now)
			r.Version = h.Collector.Version(g.Target)
			view.Rows = append(view.Rows, r)
		}
	}
	return view
}

// sum counts all sessions.
func (v *statusView) sum(all []collector.Summary) {
	words, targets := make(map[string]int), make(map[string]bool)
	for i := range all {
		word := verdictOf(all[i].ResultName).Word
		words[word]++
		if !targets[all[i].Target] {
			targets[all[i].Target] = true
			v.Choices = append(v.Choices, all[i].Target)
		}
	}
	v.Targets, v.Valid, v.Fresh = len(targets), words[well], words[pending]
	v.Problems = v.Sessions - v.Valid - v.Fresh
	slices.Sort(v.Choices)
	if targets[v.Query.Target] {
		v.ProbeTarget = sessionAction(v.Query.Target, "")
	}
	if len(v.Choices) > maxChoices {
		v.Choices = nil
	}
	for _, word := range gravest {
		if words[word] == 0 && word != v.Query.Result {
			continue
		}
		t := tile{Verdict: verdictOf(word), Count: words[word], Chosen: word == v.Query.Result}
		q := query{Sort: v.Query.Sort} // of all sessions, as they are counted
		if !t.Chosen {
			q.Result = word
		}
		t.Link = q.link()
		v.Tiles = append(v.Tiles, t)
	}
}

// turn turns to the page of the query.
func (v *statusView) turn() {
	v.From = (v.Query.Page - 1) * rowsPerPage
	v.To = min(v.From+rowsPerPage, v.Found)
	at := func(page int) string {
		q := v.Query
		q.Page = page
		return q.link()
	}
	if v.Query.Page > 1 {
		v.Previous = at(v.Query.Page - 1)
	}
	if v.Query.Page < v.Pages {
		v.Next = at(v.Query.Page + 1)
	}
}

// First is the number of the first row.
func (v *statusView) First() int { return min(v.From+1, v.Found) }

// Narrowed tells whether sessions are left out.
func (v *statusView) Narrowed() bool { return v.Query.narrowed() }

// OrderLink is where the same sessions are in another order.
func (v *statusView) OrderLink(name string) string {
	q := v.Query
	q.Sort, q.Page = name, 1
	return q.link()
}

// ProblemsLink is where the sessions are that somebody has to look after.
func (v *statusView) ProblemsLink() string { return query{Result: problems}.link() }
