package e2e

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmpsim"
)

// A fault is a failure of one HMP, and the notification about it.
type fault struct {
	target   string
	sessions []string
	begin    func(*faultyHMP)
	end      func(*faultyHMP) // nil if the fault does not end

	alert                string
	summary, description string   // a part of the description
	notified             []string // the sessions of the notification; "" if the alert is about the HMP
	silenced             string   // an alert without a notification
}

// faults happen at the same time. The unit tests of the rules have the other alerts.
var faults = []fault{
	{
		target: "directory", sessions: []string{"ingest", "playout", "proxied"},
		begin: func(h *faultyHMP) {
			h.sim.SetOutage(func(w http.ResponseWriter, r *http.Request, c hmpsim.Call) {
				if strings.HasSuffix(c.Token, "proxied") {
					hmpsim.BadGateway()(w, r, c)
					return
				}
				hmpsim.AuthUnavailable()(w, r, c)
			})
		},
		end:   func(h *faultyHMP) { h.sim.SetOutage(nil) },
		alert: "HMPAuthServiceUnavailable", summary: "HMP directory cannot reach its authentication server.",
		description: "do not replace it", notified: []string{"ingest", "playout"}, silenced: "HMPSessionInvalid",
	},
	{
		target: "away", sessions: []string{"archive", "ingest", "playout"},
		begin: func(h *faultyHMP) { h.server.Close() },
		end:   func(h *faultyHMP) { h.listen(strings.TrimPrefix(h.server.URL, "http://")) },
		alert: "HMPUnreachable", summary: "HMP away does not answer.",
		description: "3 failed, by result: connect (3)", notified: []string{""},
	},
	{
		target: "expired", sessions: []string{"playout"},
		begin: func(h *faultyHMP) { h.sim.SetOutage(hmpsim.UnknownSession()) },
		alert: "HMPSessionUnauthorized", summary: "HMP expired does not accept a token.",
		description: "session playout of expired", notified: []string{"playout"},
	},
}

// A faultyHMP is a simulated HMP with a fault.
type faultyHMP struct {
	fault
	t      *testing.T
	sim    *hmpsim.Server
	server *hmpsim.Listening
}

func newFaultyHMP(t *testing.T, f fault) *faultyHMP {
	t.Helper()
	h := &faultyHMP{fault: f, t: t, sim: hmpsim.New()}
	user := hmpsim.ExampleSession()
	user.Admin, user.Roles[0].Admin, user.ServiceMessages = false, false, []string{}
	for _, session := range f.sessions {
		h.sim.SetToken(secretOf(session), hmpsim.Valid(user))
	}
	h.listen("127.0.0.1:0")
	t.Cleanup(func() { h.server.Close() })
	return h
}

func (h *faultyHMP) listen(address string) {
	h.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		h.t.Fatal(err)
	}
	if h.server, err = h.sim.Start(hmpsim.ListenConfig{Listener: l}); err != nil {
		h.t.Fatal(err)
	}
}

// TestAlertsEndToEnd runs the exporter, Prometheus and Alertmanager with the shipped rules and
// configurations. Each fault must cause one notification when it begins and one when it
// ends. Then the exporter stops: that causes one notification too, and none about faults.
func TestAlertsEndToEnd(t *testing.T) {
	t.Parallel()
	var hmps []*faultyHMP
	config := "targets:\n"
	for _, f := range faults {
		h := newFaultyHMP(t, f)
		hmps = append(hmps, h)
		config += targetConfig(h.target, h.server.URL, h.sessions)
	}
	s := startAlertStack(t, write(t, t.TempDir(), "hmp.yml", config))
	exportertest.Eventually(t, "all sessions to be valid", func() error {
		if got := len(s.prometheus.query(t, "job_target_session:hmp_session_valid:max == 1")); got != 7 {
			return fmt.Errorf("%d of 7 are", got)
		}
		return nil
	})
	if n := s.waitFor(t, "HMPWatchdog", "", "firing"); n.Receiver != "watchdog" {
		t.Errorf("%s is notified of HMPWatchdog", n.Receiver)
	}

	s.waitForScrape(t)
	for _, h := range hmps {
		h.begin(h)
	}
	for _, h := range hmps {
		t.Run(h.target+" fails", func(t *testing.T) { s.checkNotification(t, h) })
	}
	s.waitForScrape(t)
	for _, h := range hmps {
		if h.end != nil {
			h.end(h)
		}
	}
	for _, h := range hmps {
		if h.end != nil {
			t.Run(h.target+" recovers", func(t *testing.T) { s.waitFor(t, h.alert, h.target, "resolved") })
		}
	}
	t.Run("the exporter stops and starts", func(t *testing.T) { s.restartExporter(t, len(hmps)) })
	t.Run("no other notification", func(t *testing.T) {
		if diff := cmp.Diff(wantNotifications(), s.receiver.all()); diff != "" {
			t.Errorf("notifications (-want +got):\n%s", diff)
		}
	})
}

// wantNotifications returns what [receiver.all] must return at the end.
func wantNotifications() (want []string) {
	for _, f := range faults {
		about := fmt.Sprintf("%s %s/%s", f.alert, f.target, strings.Join(f.notified, ","))
		want = append(want, "page: firing "+about)
		if f.end != nil {
			want = append(want, "page: resolved "+about)
		}
	}
	want = append(want, "page: firing HMPExporterDown /,,", "page: resolved HMPExporterDown /,,")
	slices.Sort(want)
	return want
}

// An alertStack is the exporter, Prometheus and Alertmanager. The shipped configurations are
// changed only in times and addresses.
type alertStack struct {
	config       string // the exporter's
	exporter     *process
	prometheus   prometheus
	alertmanager *process
	receiver     *receiver
}

func startAlertStack(t *testing.T, config string) *alertStack {
	t.Helper()
	s := &alertStack{config: config, receiver: newReceiver(t)}
	s.exporter = startExporter(t, "--config.file="+config)
	s.alertmanager = startAlertmanager(t, speedUp(t, alertmanagerFile, t.TempDir(), func(config map[string]any) {
		for _, receiver := range config["receivers"].([]any) {
			webhook := map[string]any{"url": s.receiver.url, "send_resolved": true}
			receiver.(map[string]any)["webhook_configs"] = []any{webhook}
		}
	}))

	dir := t.TempDir()
	file := speedUp(t, "../../deploy/prometheus/prometheus.yml", dir, func(config map[string]any) {
		config["global"].(map[string]any)["scrape_interval"] = "4s"
		for _, job := range config["scrape_configs"].([]any) {
			job.(map[string]any)["scrape_timeout"] = "4s"
		}
	})
	s.prometheus = startPrometheus(t, strings.NewReplacer(
		"exporter:10042", s.exporter.address(),
		"alertmanager:9093", s.alertmanager.address(),
		"localhost:9090", s.alertmanager.address(), // Prometheus does not know its own port yet
		"/etc/prometheus/rules", spedUpRules(t)).Replace(read(t, file)))
	return s
}

// waitForScrape returns after the next scrape. Then there is time to change several HMPs
// before the scrape that follows.
func (s *alertStack) waitForScrape(t *testing.T) {
	t.Helper()
	end := func() (end float64) {
		for _, sample := range s.prometheus.query(t, `timestamp(up{job="hmp"}) + scrape_duration_seconds{job="hmp"}`) {
			end = sample.value(t)
		}
		return end
	}
	before := end()
	exportertest.WaitFor(t, "the next scrape", func() bool { return end() != before })
}

// waitFor returns the first notification about an alert of a target.
func (s *alertStack) waitFor(t *testing.T, alert, target, status string) (n notification) {
	t.Helper()
	exportertest.Eventually(t, fmt.Sprintf("%s of %q to be %s", alert, target, status), func() (err error) {
		n, err = s.receiver.find(alert, target, status)
		return err
	})
	return n
}

// checkNotification waits for the notification about a fault and checks its text.
func (s *alertStack) checkNotification(t *testing.T, h *faultyHMP) {
	t.Helper()
	n := s.waitFor(t, h.alert, h.target, "firing")
	if n.Labels["severity"] != "critical" || n.Labels["job"] != "hmp" || n.Annotations["summary"] != h.summary {
		t.Errorf("the notification is %q with the labels %v, want %q", n.Annotations["summary"], n.Labels, h.summary)
	}
	if want := "#" + strings.ToLower(h.alert); !strings.HasSuffix(n.Annotations["runbook_url"], want) {
		t.Errorf("the runbook is at %s, want …%s", n.Annotations["runbook_url"], want)
	}
	for _, a := range n.Alerts {
		if !strings.Contains(a.Annotations["description"], h.description) {
			t.Errorf("the description lacks %q: %s", h.description, a.Annotations["description"])
		}
		if !strings.Contains(a.Annotations["dashboard_url"], "var-target="+h.target) {
			t.Errorf("the dashboard is not the one of %s: %s", h.target, a.Annotations["dashboard_url"])
		}
	}
	if h.silenced != "" {
		s.waitForSilence(t, h.silenced, h.target)
	}
}

// waitForSilence waits until another alert silences an alert.
func (s *alertStack) waitForSilence(t *testing.T, alert, target string) {
	t.Helper()
	exportertest.WaitFor(t, alert+" of "+target+" to be silenced", func() bool {
		return slices.ContainsFunc(activeAlerts(t, s.alertmanager.URL), func(a activeAlert) bool {
			return a.Labels["alertname"] == alert && a.Labels["target"] == target &&
				a.Status.State == "suppressed" && len(a.Status.InhibitedBy) > 0
		})
	})
}

// restartExporter stops the exporter and starts it again, and waits for both notifications.
// The alert of the fault that does not end is silent meanwhile, and fires again.
func (s *alertStack) restartExporter(t *testing.T, hmps int) {
	t.Helper()
	s.exporter.stop(t)
	n := s.waitFor(t, "HMPExporterDown", "", "firing")
	if n.Receiver != "page" || len(n.Alerts) != hmps || n.Annotations["summary"] != "The exporter of job hmp does not answer." {
		t.Errorf("%s is notified about %d HMPs: %s", n.Receiver, len(n.Alerts), n.Annotations["summary"])
	}
	s.waitForSilence(t, "HMPSessionUnauthorized", "expired")
	exportertest.WaitFor(t, "the alert to end in Prometheus", func() bool {
		return len(s.prometheus.query(t, `ALERTS{alertname="HMPSessionUnauthorized"}`)) == 0
	})
	start(t, command(t, exporterBinary, "--config.file="+s.config, "--web.listen-address="+s.exporter.address())).waitForURL(t)
	s.waitFor(t, "HMPExporterDown", "", "resolved")
	exportertest.WaitFor(t, "the alert to fire again", func() bool {
		return len(s.prometheus.query(t, `ALERTS{alertname="HMPSessionUnauthorized", alertstate="firing"}`)) > 0
	})
}
