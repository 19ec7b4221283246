package report

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

func writeTable(t *testing.T, r *Report, terminal Terminal) string {
	t.Helper()
	var out strings.Builder
	if err := r.WriteTable(&out, terminal); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestWriteTable also fails if a character reaches the terminal that the terminal obeys.
func TestWriteTable(t *testing.T) {
	text := writeTable(t, sample(), Terminal{})
	golden(t, "table.txt", text)
	if i := strings.IndexFunc(text, func(r rune) bool {
		return r != '\n' && r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r < 0x2070 || r == 0xfeff
	}); i >= 0 {
		t.Errorf("a terminal obeys %q", text[i:min(len(text), i+10)])
	}
}

// TestTerminal is that a terminal has colours, sentences of its width, and the summary at
// the end.
func TestTerminal(t *testing.T) {
	text := writeTable(t, sample(), Terminal{Width: 40, Colours: true})
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

// TestExplainsAll is that the table explains every result as the runbook does.
func TestExplainsAll(t *testing.T) {
	text := strings.Join(strings.Fields(writeTable(t, sample(), Terminal{})), " ")
	for _, info := range hmp.Results {
		if info.Result != hmp.Valid && (!strings.Contains(text, info.Meaning[1:]) || !strings.Contains(text, info.Advice)) {
			t.Errorf("%s is not explained", info.Result)
		}
	}
}

// TestSummary has the first line of a report, which is all that Nagios shows.
func TestSummary(t *testing.T) {
	all := sample().Results
	for _, tt := range []struct {
		results []collector.Result
		want    string
	}{
		{all[:1], "HMP OK: 1 of 1 sessions valid in 0.000 s"},
		{all[:9], "HMP FAILED: 8 of 9 sessions not valid in 0.000 s: studio/no_roles no_roles, studio/unauthorized unauthorized, " +
			"studio/internal_error internal_error, studio/auth_unavailable auth_unavailable, studio/endpoint_missing endpoint_missing and 3 more"},
		{[]collector.Result{{Target: "studio", Session: "new"}}, "HMP FAILED: 1 of 1 sessions not valid in 0.000 s: studio/new not_probed"},
	} {
		if got := (&Report{Results: tt.results}).summary(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestReasons is that sessions that failed in the same way have one reason, or each its own
// beside its name. The table counts the reasons that it does not show.
func TestReasons(t *testing.T) {
	var sessions []*collector.Result
	for i := range maxNames + 2 {
		sessions = append(sessions, &collector.Result{Target: "a", Session: strconv.Itoa(i), Answer: hmp.Answer{Result: hmp.Protocol, Reason: strconv.Itoa(i)}})
	}
	for more, want := range []string{"a/4: 4", "Not shown: 1 more reason.", "Not shown: 2 more reasons."} {
		texts := reasons(sessions[:maxNames+more])
		if got := texts[len(texts)-1]; got != want {
			t.Errorf("%d too many: got %q, want %q", more, got, want)
		}
	}
	if got := reasons([]*collector.Result{sessions[1], sessions[1]}); !slices.Equal(got, []string{"Reason: 1"}) {
		t.Errorf("two sessions with one reason: got %q", got)
	}
}
