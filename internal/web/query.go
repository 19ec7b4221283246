package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hmp_exporter/collector"
)

const (
	// rowsPerPage bounds what one page shows of a large fleet.
	rowsPerPage = 100
	// maxText bounds what may be searched for, in bytes.
	maxText = 200
)

// A query is what the status page is asked to show.
type query struct {
	Text, Target, Result, Sort string
	Page                       int // from 1
}

// An order is one that sessions can be shown in.
type order struct {
	Name, Title string
	compare     func(a, b *collector.Summary) int
}

// orders lists them; the first is that of a page that is not asked for another.
var orders = []order{
	{problems, "problems first", func(a, b *collector.Summary) int { return gravity(a.ResultName) - gravity(b.ResultName) }},
	{"name", "by name", func(a, b *collector.Summary) int { return 0 }},
	{"latency", "slowest first", func(a, b *collector.Summary) int { return cmp.Compare(b.Duration, a.Duration) }},
	{"changed", "latest change first", func(a, b *collector.Summary) int { return b.Since.Compare(a.Since) }},
	{"probed", "longest without a probe first", func(a, b *collector.Summary) int { return a.Start.Compare(b.Start) }},
}

// parseQuery reads the parameters of the status page.
func parseQuery(raw string) (query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, fmt.Errorf("the parameters are malformed: %w", err)
	}
	for name, list := range values {
		if len(list) > 1 {
			return query{}, fmt.Errorf("parameter %.40q is given %d times: give it once", name, len(list))
		}
	}
	q := query{Text: strings.TrimSpace(values.Get("q")), Target: values.Get("target"), Result: values.Get("result"), Sort: values.Get("sort"), Page: 1}
	if len(q.Text) > maxText || len(q.Target) > maxText {
		return query{}, fmt.Errorf("what is searched for is too long: %d bytes are the limit", maxText)
	}
	if q.Result != "" && q.Result != problems && !slices.Contains(gravest, q.Result) {
		return query{}, fmt.Errorf("there is no result %.40q: choose one of %s, %s", q.Result, problems, commas(gravest))
	}
	q.Sort = cmp.Or(q.Sort, orders[0].Name)
	if !slices.ContainsFunc(orders, func(o order) bool { return o.Name == q.Sort }) {
		return query{}, fmt.Errorf("there is no order %.40q: choose problems, name, latency, changed or probed", q.Sort)
	}
	if page := values.Get("page"); page != "" {
		if q.Page, err = strconv.Atoi(page); err != nil {
			return query{}, fmt.Errorf("page %.40q is not a number: pages are counted from 1", page)
		}
	}
	return q, nil
}

// link is where a page with the query is, relative to the status page.
func (q query) link() string {
	values := url.Values{}
	for name, value := range map[string]string{"q": q.Text, "target": q.Target, "result": q.Result, "sort": q.Sort} {
		if value != "" && (name != "sort" || value != orders[0].Name) {
			values.Set(name, value)
		}
	}
	if q.Page > 1 {
		values.Set("page", strconv.Itoa(q.Page))
	}
	if len(values) == 0 {
		return "./"
	}
	return "./?" + values.Encode()
}

// narrowed tells whether the query leaves sessions out.
func (q query) narrowed() bool { return q.Text != "" || q.Target != "" || q.Result != "" }

// choose returns the sessions that the query asks for, all pages of them, in its order.
func (q query) choose(all []collector.Summary) []collector.Summary {
	text := strings.ToLower(q.Text)
	chosen := slices.DeleteFunc(slices.Clone(all), func(g collector.Summary) bool {
		return q.Target != "" && g.Target != q.Target || !q.wants(g.ResultName) ||
			!strings.Contains(strings.ToLower(g.Target+"/"+g.Session), text)
	})
	by := orders[slices.IndexFunc(orders, func(o order) bool { return o.Name == q.Sort })]
	slices.SortFunc(chosen, func(a, b collector.Summary) int {
		return cmp.Or(by.compare(&a, &b), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Session, b.Session))
	})
	return chosen
}

func (q query) wants(word string) bool {
	switch q.Result {
	case "":
		return true
	case problems:
		return word != "" && word != well
	default:
		return cmp.Or(word, pending) == q.Result
	}
}

// paged returns the query for a page that there is, and how many there are.
func (q query) paged(sessions int) (query, int) {
	pages := max(1, (sessions+rowsPerPage-1)/rowsPerPage)
	q.Page = min(max(1, q.Page), pages)
	return q, pages
}
