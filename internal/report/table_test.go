package report

import (
	"bufio"
	"strconv"
	"strings"
	"testing"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"

	"github.com/google/go-cmp/cmp"
)

// table returns a report as it is written to a file, or with true to a terminal.
func table(t *testing.T, r *Report, terminal bool) string {
	t.Helper()
	var out strings.Builder
	w := &tableWriter{Writer: bufio.NewWriter(&out), width: defaultWidth}
	if terminal {
		w.terminal, w.colours, w.width = true, true, 40
	}
	w.write(r)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTable(t *testing.T) {
	text := table(t, sample(), false)
	golden(t, "table.txt", text)
	harmless(t, text)
}

// On a terminal there are colours, the summary comes last, and sentences fit.
func TestTerminal(t *testing.T) {
	text := table(t, sample(), true)
	if !strings.HasPrefix(text, "TARGET  SESSION           \x1b[1mRESULT\x1b[0m") || !strings.Contains(text, "\x1b[32mvalid\x1b[0m") ||
		!strings.Contains(text, "\n\n\x1b[31mHMP INTERRUPTED: ") {
		t.Errorf("it is\n%s", text)
	}
	for line := range strings.Lines(text) {
		if n := len([]rune(line)) - 1; strings.HasPrefix(line, indent) && n > 40 && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("a line has %d characters: %s", n, line)
		}
	}
}

func TestWrapped(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"one two  three four", []string{"  one two", "  three", "  four"}},
		{"a incomprehensible b", []string{"  a", "  incomprehensible", "  b"}}, // words stay whole
		{"äöü äöü ä", []string{"  äöü äöü", "  ä"}},
	} {
		if diff := cmp.Diff(tt.want, wrapped(tt.text, 9)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"plain, und Ümläute", "plain, und Ümläute"},
		{"a\nb\tc\rd", "a b c d"},
		{"\x1b[2Jgone\x07", "�[2Jgone�"},
		{"\u009b31m", "�31m"},        // a control sequence of one character
		{"a\u202eb\u200bc", "a�b�c"}, // turned around, and invisible
		{"\xff\xfe", "��"},           // no UTF-8
		{"\U000e0001\ufeff", "��"},   // a tag, a byte order mark
	} {
		if got := clean(tt.text); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

// Every outcome is explained with what the rest of the program says of it.
func TestTableExplainsAll(t *testing.T) {
	text := strings.Join(strings.Fields(table(t, sample(), false)), " ")
	for _, o := range hmp.Results {
		if o.Result != hmp.Valid && (!strings.Contains(text, o.Meaning[1:]) || !strings.Contains(text, o.Advice)) {
			t.Errorf("%s is not explained", o.Result)
		}
	}
}

// The first line is all that Nagios shows of a check that went well or failed.
func TestSummary(t *testing.T) {
	r := &Report{Attempts: []Attempt{{Target: "studio", Session: "valid"}, {Target: "studio", Session: "no_roles"}}}
	if got, want := r.summary(), "HMP FAILED: 2 of 2 sessions not valid in 0.000 s: studio/valid not_probed, studio/no_roles not_probed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Attempts = sample().Attempts[:1]
	if got, want := r.summary(), "HMP OK: 1 of 1 sessions valid in 0.000 s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Attempts = sample().Attempts[:9]
	if got, want := r.summary(), "HMP FAILED: 8 of 9 sessions not valid in 0.000 s: studio/no_roles no_roles, studio/unauthorized unauthorized, "+
		"studio/internal_error internal_error, studio/auth_unavailable auth_unavailable, studio/endpoint_missing endpoint_missing and 3 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Failures that are alike have one reason, or each its own beside its name. Reasons that are
// left out are counted.
func TestReasons(t *testing.T) {
	var alike []*Attempt
	for i := range mostNames + 2 {
		alike = append(alike, &Attempt{Target: "a", Session: strconv.Itoa(i), Result: &collector.Result{Answer: hmp.Answer{Result: hmp.Protocol, Reason: strconv.Itoa(i)}}})
	}
	for more, want := range []string{"a/4: 4", "Not shown: 1 more reason.", "Not shown: 2 more reasons."} {
		texts := reasons(alike[:mostNames+more])
		if got := texts[len(texts)-1]; got != want {
			t.Errorf("%d too many: got %q, want %q", more, got, want)
		}
	}
	if diff := cmp.Diff([]string{"Reason: 1"}, reasons([]*Attempt{alike[1], alike[1]})); diff != "" {
		t.Errorf("of two with one reason (-want +got):\n%s", diff)
	}
}
