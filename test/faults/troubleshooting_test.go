package faults

import (
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
)

const troubleshooting = "../../docs/troubleshooting.md"

var logPlace = regexp.MustCompile(`<!-- (log of ([^:]+): (.+)) -->`)

// TestTroubleshooting causes the faults of docs/troubleshooting.md and compares the log with
// the page. The comments around a quoted line name a section and a row.
func TestTroubleshooting(t *testing.T) {
	page, err := os.ReadFile(troubleshooting)
	if err != nil {
		t.Fatal(err)
	}
	quoted := make(map[string]string)
	for _, place := range logPlace.FindAllStringSubmatch(string(page), -1) {
		r := rowNamed(t, place[2], place[3])
		quoted[place[1]] = "```text\n" + r.logged(t) + "```\n"
	}
	if len(quoted) == 0 {
		t.Fatal("the page quotes no log")
	}
	exportertest.CheckTables(t, troubleshooting, *update, quoted)
}

func rowNamed(t *testing.T, name, title string) row {
	t.Helper()
	for _, s := range sections {
		if i := slices.IndexFunc(s.rows, func(r row) bool { return r.name == title }); s.name == name && i >= 0 {
			return s.rows[i]
		}
	}
	t.Fatalf("section %s has no row %q", name, title)
	return row{}
}

// variableParts are parts of a log line that differ each time, or that the page does not need.
var variableParts = []struct {
	part *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:443"},
	{regexp.MustCompile(`\d\d:\d\d:\d\d UTC`), "… UTC"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)`), "…"},
	{regexp.MustCompile(` (meaning|advice)="[^"]*"`), ""}, // docs/metrics.md has them
	{regexp.MustCompile(`^level=warn msg="session is not valid" target=studio session=playout `), ""},
}

// logged returns the part of the log line that matters.
func (r *row) logged(t *testing.T) string {
	t.Helper()
	s := newSetup(t)
	defer s.close()
	if r.want.Lasts {
		s.timeout = 3 * time.Second
	}
	r.build(s)
	e := s.startExporter(r.modes()[0])
	if _, _, err := e.probe("studio"); err != nil {
		t.Fatal(err)
	}
	warned := regexp.MustCompile(`(?m)^level=warn .*\n`).FindAllString(e.log.String(), -1)
	if len(warned) != 1 {
		t.Fatalf("%s: there are %d warnings, want one:\n%s", r.name, len(warned), e.log.String())
	}
	line := warned[0]
	for _, p := range variableParts {
		line = p.part.ReplaceAllString(line, p.as)
	}
	return line
}
