package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// spell is the longest that anything here takes by design, on a busy machine: latency is a median of many scrapes.
const spell = 90 * time.Second

// TestAlertsEndToEnd lets everything happen to simulated HMPs at once, and is that whoever is to be told is told so
// once, by the shipped rules and the shipped Alertmanager, and once more when it is over. Then the exporter dies: that is
// told once too, and what has been told before is not told again when it is back.
func TestAlertsEndToEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var hmps []*faultyHMP
	config := "targets:\n"
	for _, f := range faults() {
		h := newHMP(t, f, dir)
		hmps = append(hmps, h)
		config += h.config()
	}
	file := filepath.Join(dir, "hmp.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startAlertStack(t, file)
	s.waitForAllValid(t, hmps)
	if n := s.waitFor(t, "HMPWatchdog", "", "firing"); n.Receiver != "watchdog" {
		t.Errorf("%s is told of HMPWatchdog", n.Receiver)
	}

	s.afterScrape(t)
	for _, h := range hmps {
		h.occur(h)
	}
	for _, h := range hmps {
		t.Run(h.target+" is told", func(t *testing.T) { s.expectTold(t, h) })
	}

	s.afterScrape(t)
	for _, h := range hmps {
		if !h.lasting {
			h.mend(h)
		}
	}
	for _, h := range hmps {
		if !h.lasting {
			t.Run(h.target+" is over", func(t *testing.T) { s.waitFor(t, h.alert, h.target, "resolved") })
		}
	}

	t.Run("the exporter dies and comes back", func(t *testing.T) { s.expectExporterDown(t, len(hmps)) })
	// Whatever was wrongly told would have been long before the exporter was back.
	t.Run("nothing else was told", func(t *testing.T) { s.expectJournal(t, hmps) })
}

func (s *alertStack) waitForAllValid(t *testing.T, hmps []*faultyHMP) {
	t.Helper()
	want := 0
	for _, h := range hmps {
		want += len(h.sessions)
	}
	eventually(t, "all sessions are valid", func() error {
		if got := len(s.prometheus.query(t, "job_target_session:hmp_session_valid:max == 1")); got != want {
			return fmt.Errorf("%d of %d are", got, want)
		}
		return nil
	})
}

// afterScrape returns when a scrape has just ended, so that there is time until the next to change many things at once.
func (s *alertStack) afterScrape(t *testing.T) {
	t.Helper()
	last := func() float64 {
		var at float64
		for _, sample := range s.prometheus.query(t, `timestamp(up{job="hmp"}) + scrape_duration_seconds{job="hmp"}`) {
			at = sample.value(t)
		}
		return at
	}
	before := last()
	eventually(t, "there is another scrape", func() error {
		if last() == before {
			return errors.New("not yet")
		}
		return nil
	})
}

// waitFor returns the one notification of an alert.
func (s *alertStack) waitFor(t *testing.T, alert, target, status string) notification {
	t.Helper()
	within(t, spell, alert+" of "+target+" is "+status, func() error {
		if len(s.journal.about(alert, target, status)) == 0 {
			return fmt.Errorf("there were only %q", s.journal.lines())
		}
		return nil
	})
	return s.journal.about(alert, target, status)[0]
}

// expectTold waits for the notification of a fault, and looks at all that it says.
func (s *alertStack) expectTold(t *testing.T, h *faultyHMP) {
	t.Helper()
	n := s.waitFor(t, h.alert, h.target, "firing")
	if n.Receiver != h.receiver || n.Labels["severity"] != h.severity || n.Labels["job"] != "hmp" {
		t.Errorf("%s is told of it, with the labels %v", n.Receiver, n.Labels)
	}
	if n.Annotations["summary"] != h.summary {
		t.Errorf("the summary is %q, want %q", n.Annotations["summary"], h.summary)
	}
	if want := "#" + strings.ToLower(h.alert); !strings.HasSuffix(n.Annotations["runbook_url"], want) {
		t.Errorf("the runbook is at %s, want …%s", n.Annotations["runbook_url"], want)
	}
	for _, a := range n.Alerts {
		if !strings.Contains(a.Annotations["description"], h.says) {
			t.Errorf("the description does not say %q: %s", h.says, a.Annotations["description"])
		}
		if !strings.Contains(a.Annotations["dashboard_url"], "var-target="+h.target) {
			t.Errorf("the dashboard is not that of %s: %s", h.target, a.Annotations["dashboard_url"])
		}
	}
	for _, alert := range h.silent {
		within(t, spell, alert+" is silent", func() error { return s.suppressed(t, alert, h.target) })
	}
}

// expectExporterDown stops the exporter until that is told, and starts it again until that is too.
func (s *alertStack) expectExporterDown(t *testing.T, hmps int) {
	t.Helper()
	s.exporter.stop(t)
	n := s.waitFor(t, "HMPExporterDown", "", "firing")
	if n.Receiver != "page" || len(n.Alerts) != hmps || n.Annotations["summary"] != "The exporter of job hmp does not answer." {
		t.Errorf("%s is told, of %d HMPs: %s", n.Receiver, len(n.Alerts), n.Annotations["summary"])
	}
	eventually(t, "what was told before is silent", func() error {
		return s.suppressed(t, "HMPSessionUnauthorized", "lasting")
	})
	within(t, spell, "what was known is forgotten", func() error {
		if found := s.prometheus.query(t, `ALERTS{alertname="HMPSessionUnauthorized"}`); len(found) != 0 {
			return fmt.Errorf("found %v", found)
		}
		return nil
	})
	s.restartExporter(t)
	s.waitFor(t, "HMPExporterDown", "", "resolved")
	within(t, spell, "what still lasts is an alert again", func() error {
		if len(s.prometheus.query(t, `ALERTS{alertname="HMPSessionUnauthorized", alertstate="firing"}`)) == 0 {
			return errors.New("it is not")
		}
		return nil
	})
}

// expectJournal compares all that was told with all that had to be.
func (s *alertStack) expectJournal(t *testing.T, hmps []*faultyHMP) {
	t.Helper()
	var want []string
	var targets []string
	for _, h := range hmps {
		sessions := h.told
		switch {
		case h.sessionless:
			sessions = []string{""}
		case sessions == nil:
			sessions = h.sessions
		}
		line := func(status string) string {
			return fmt.Sprintf("%s: %s %s %s/%s", h.receiver, status, h.alert, h.target, strings.Join(sessions, ","))
		}
		want = append(want, line("firing"))
		if !h.lasting {
			want = append(want, line("resolved"))
		}
		targets = append(targets, "")
	}
	for _, status := range []string{"firing", "resolved"} {
		want = append(want, fmt.Sprintf("page: %s HMPExporterDown /%s", status, strings.Join(targets, ",")))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, s.journal.lines()); diff != "" {
		t.Errorf("notifications (-want +got):\n%s", diff)
	}
}
