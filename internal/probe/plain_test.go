package probe

import (
	"bufio"
	"strconv"
	"strings"
	"testing"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

func plain(t *testing.T, r *Report) string {
	t.Helper()
	var out strings.Builder
	w := bufio.NewWriter(&out)
	writePlain(w, r, newLayout(sampleSessions()))
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPlain(t *testing.T) {
	text := plain(t, sample())
	golden(t, "plain.txt", text)
	harmless(t, text)
	for line := range strings.Lines(text) {
		if n := len([]rune(line)) - 1; n > plainWidth && !strings.HasPrefix(line, "HMP ") {
			t.Errorf("a line has %d characters: %s", n, line)
		}
	}
}

// Every outcome is explained with what the rest of the program says of it.
func TestPlainExplainsAll(t *testing.T) {
	text := strings.Join(strings.Fields(plain(t, sample())), " ")
	for _, o := range hmp.Results {
		if o.Result != hmp.Valid && (!strings.Contains(text, o.Meaning[1:]) || !strings.Contains(text, o.Advice)) {
			t.Errorf("%s is not explained", o.Result)
		}
	}
}

// The first line is all that Nagios shows of a check that went well or failed.
func TestSummary(t *testing.T) {
	r := newReport(sampleSessions()[:2])
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

// Reasons that are left out are counted in the singular too.
func TestReasonsLeftOut(t *testing.T) {
	var alike []*Attempt
	for i := range mostNames + 2 {
		alike = append(alike, &Attempt{Target: "lab", Session: strconv.Itoa(i), Result: &collector.Result{Answer: hmp.Answer{Result: hmp.Protocol, Reason: strconv.Itoa(i)}}})
	}
	for more, want := range []string{"Reason for lab/4: 4", "Not shown: 1 more reason.", "Not shown: 2 more reasons."} {
		texts := reasons(alike[:mostNames+more])
		if got := texts[len(texts)-1]; got != want {
			t.Errorf("%d too many: got %q, want %q", more, got, want)
		}
	}
}
