package web

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hmp_exporter/collector"
	"hmp_exporter/internal/report"
)

const (
	rowsPerPage = 100
	// maxText is the maximum length of a name to search for, in bytes.
	maxText = 200
)

// A filter says which sessions the status page shows, and in which order.
type filter struct {
	Text, Target, Result, Sort string
	Page                       int // from 1
}

// An order is a way to sort sessions.
type order struct {
	Name, Title string
	compare     func(a, b *collector.Summary) int
}

// orders lists the ways to sort sessions. The first is the default.
var orders = []order{
	{problems, "problems first", func(a, b *collector.Summary) int { return severity(a.ResultName) - severity(b.ResultName) }},
	{"name", "by name", func(a, b *collector.Summary) int { return 0 }},
	{"latency", "slowest first", func(a, b *collector.Summary) int { return cmp.Compare(b.Duration, a.Duration) }},
	{"changed", "latest change first", func(a, b *collector.Summary) int { return b.Since.Compare(a.Since) }},
	{"probed", "longest without a probe first", func(a, b *collector.Summary) int { return a.Start.Compare(b.Start) }},
}

// parseFilter returns the filter that a request asks for.
func parseFilter(r *http.Request) (filter, error) {
	query, err := parseQuery(r)
	if err != nil {
		return filter{}, err
	}
	for name, values := range query {
		if len(values) > 1 {
			return filter{}, fmt.Errorf("parameter %.40q is given %d times: give it once", name, len(values))
		}
	}
	f := filter{Text: strings.TrimSpace(query.Get("q")), Target: query.Get("target"), Result: query.Get("result"), Page: 1}
	if f.Result == "pending" { // links of former versions
		f.Result = report.NotProbed
	}
	f.Sort = cmp.Or(query.Get("sort"), orders[0].Name)
	switch {
	case len(f.Text) > maxText || len(f.Target) > maxText:
		return filter{}, fmt.Errorf("what is searched for is too long: %d bytes are the limit", maxText)
	case f.Result != "" && f.Result != problems && !slices.Contains(bySeverity, f.Result):
		return filter{}, fmt.Errorf("there is no result %.40q: choose one of %s, %s", f.Result, problems, strings.Join(bySeverity, ", "))
	case f.orderIndex() < 0:
		return filter{}, fmt.Errorf("there is no order %.40q: choose problems, name, latency, changed or probed", f.Sort)
	}
	if page := query.Get("page"); page != "" {
		if f.Page, err = strconv.Atoi(page); err != nil {
			return filter{}, fmt.Errorf("page %.40q is not a number: pages are counted from 1", page)
		}
	}
	return f, nil
}

// orderIndex returns the index of the filter's order in orders, or -1.
func (f filter) orderIndex() int {
	return slices.IndexFunc(orders, func(o order) bool { return o.Name == f.Sort })
}

// apply returns the matching sessions of all pages in the order of the filter.
func (f filter) apply(all []collector.Summary) []collector.Summary {
	matching := slices.DeleteFunc(slices.Clone(all), func(s collector.Summary) bool { return !f.matches(&s) })
	compare := orders[f.orderIndex()].compare
	slices.SortFunc(matching, func(a, b collector.Summary) int {
		return cmp.Or(compare(&a, &b), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Session, b.Session))
	})
	return matching
}

func (f filter) matches(s *collector.Summary) bool {
	name := report.DisplayName(s.ResultName)
	return (f.Target == "" || f.Target == s.Target) &&
		(f.Result == "" || f.Result == name || f.Result == problems && name != valid && name != report.NotProbed) &&
		strings.Contains(strings.ToLower(s.Target+"/"+s.Session), strings.ToLower(f.Text))
}

// Active reports whether the filter can leave out sessions.
func (f filter) Active() bool { return f.Text != "" || f.Target != "" || f.Result != "" }

// SortedBy links to the same sessions in another order.
func (f filter) SortedBy(order string) string {
	f.Sort, f.Page = order, 1
	return f.link()
}

// WithResult links to all sessions with a result.
func (f filter) WithResult(name string) string { return filter{Result: name, Sort: f.Sort}.link() }

// Turn links to a page before or after this one.
func (f filter) Turn(pages int) string {
	f.Page += pages
	return f.link()
}

// link returns the URL of the status page with the filter. It is relative, because a proxy may
// add a prefix.
func (f filter) link() string {
	query := url.Values{}
	for name, value := range map[string]string{"q": f.Text, "target": f.Target, "result": f.Result, "sort": f.Sort} {
		if value != "" && (name != "sort" || value != orders[0].Name) {
			query.Set(name, value)
		}
	}
	if f.Page > 1 {
		query.Set("page", strconv.Itoa(f.Page))
	}
	if len(query) == 0 {
		return "./"
	}
	return "./?" + query.Encode()
}
