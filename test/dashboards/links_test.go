package main

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// linkPart is a part of a link that Grafana replaces.
var linkPart = regexp.MustCompile(`\$\{([^}:]+)(?::([a-z]+))?\}`)

// alertLink is the link of an alert to a dashboard. Prometheus replaces alertLabel.
var (
	alertLink  = regexp.MustCompile(`dashboard_url: .*?(/d/.+)`)
	alertLabel = regexp.MustCompile(`{{[^}]*}}`)
)

// resolve replaces the parts of a link as Grafana does, with values that need escaping.
func resolve(t *testing.T, link string, columns []string) string {
	t.Helper()
	const value = "a b&c=d/ü"
	return linkPart.ReplaceAllStringFunc(link, func(part string) string {
		m := linkPart.FindStringSubmatch(part)
		field, isField := strings.CutPrefix(m[1], "__data.fields.")
		switch {
		case m[1] == "__url_time_range":
			return "from=now-3h&to=now"
		case isField && m[2] == "percentencode" && slices.Contains(columns, field):
			return url.QueryEscape(value)
		case !isField && m[2] == "queryparam":
			return "var-" + m[1] + "=" + url.QueryEscape(value)
		}
		t.Errorf("%s: Grafana does not replace or escape %s", link, part)
		return ""
	})
}

// TestLinks checks that every link opens a dashboard and sets only its variables. Each dashboard
// links to the others.
func TestLinks(t *testing.T) {
	boards, variablesOf := readBoards(t), map[string][]string{}
	for _, b := range boards {
		for _, v := range b.list("templating.list") {
			variablesOf[b.text("uid")] = append(variablesOf[b.text("uid")], v.text("name"))
		}
	}
	check := func(where, link string, columns []string) {
		u, err := url.Parse(resolve(t, link, columns))
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		known, ok := variablesOf[strings.TrimPrefix(u.Path, "/d/")]
		if !ok {
			t.Errorf("%s: there is no dashboard %s", where, u.Path)
		}
		for name, values := range u.Query() {
			variable, isVariable := strings.CutPrefix(name, "var-")
			if isVariable && !slices.Contains(known, variable) || values[0] == "" || strings.Contains(values[0], "$") {
				t.Errorf("%s: %s=%s is not a variable of %s", where, name, values[0], u.Path)
			}
		}
	}
	rules, err := filepath.Glob("../../dashboards/alerts/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range rules {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range alertLink.FindAllStringSubmatch(string(text), -1) {
			found++
			check(file, alertLabel.ReplaceAllLiteralString(m[1], "studio"), nil)
		}
	}
	if found < 10 {
		t.Errorf("alerts have %d links", found)
	}
	found = 0
	for _, b := range boards {
		if n := len(b.list("links")); n != len(boards)-1 {
			t.Errorf("%s has %d links", b.text("uid"), n)
		}
		for _, l := range b.list("links") {
			check(b.text("uid")+", "+l.text("title"), l.text("url"), nil)
		}
		for _, p := range b.list("panels") {
			var columns []string
			for _, tr := range p.list("transformations") {
				names, _ := tr.at("options.renameByName").(map[string]any)
				for name := range names {
					columns = append(columns, name)
				}
			}
			for _, o := range p.list("fieldConfig.overrides") {
				for _, property := range o.list("properties") {
					for _, l := range property.list("value") {
						if l.text("url") == "" {
							continue
						}
						found++
						check(p.text("title"), l.text("url"), columns)
					}
				}
			}
		}
	}
	if found < 5 {
		t.Errorf("tables have %d links", found)
	}
}
