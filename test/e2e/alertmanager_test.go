package e2e

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/exportertest"
)

const alertmanagerFile = "../../deploy/alertmanager/alertmanager.yml"

// An alertmanagerConfig is the part of Alertmanager's configuration that these tests check.
type alertmanagerConfig struct {
	Route        route
	InhibitRules []struct {
		Source []string `yaml:"source_matchers"`
		Target []string `yaml:"target_matchers"`
		Equal  []string
	} `yaml:"inhibit_rules"`
}

// A route is a route of Alertmanager. It inherits what it does not set.
type route struct {
	GroupBy  []string `yaml:"group_by"`
	Matchers []string `yaml:"matchers"`
	Routes   []route  `yaml:"routes"`
}

func shippedAlertmanager(t *testing.T) (config alertmanagerConfig) {
	t.Helper()
	readYAML(t, alertmanagerFile, &config)
	return config
}

// TestAlertmanagerExamples checks the configuration with all its examples turned on.
func TestAlertmanagerExamples(t *testing.T) {
	examples := regexp.MustCompile(`(?m)^( *)#(\S| {2})`).ReplaceAllString(read(t, alertmanagerFile), "$1$2")
	for _, receiver := range []string{"pagerduty", "webhook", "slack", "email"} {
		if !strings.Contains(examples, "\n    "+receiver+"_configs:\n") {
			t.Errorf("there is no example of %s", receiver)
		}
	}
	run(t, tool("amtool"), "check-config", write(t, t.TempDir(), "alertmanager.yml", examples))
}

// TestAlertmanagerRoutes checks that each alert reaches the receiver of its severity. Alerts of
// others reach the default receiver.
func TestAlertmanagerRoutes(t *testing.T) {
	t.Parallel()
	receivers := map[string]string{"critical": "page", "warning": "ticket", "info": "context", "none": "watchdog"}
	route := func(receiver string, labels ...string) {
		t.Helper()
		args := append([]string{"config", "routes", "test", "--config.file=" + alertmanagerFile, "--verify.receivers=" + receiver}, labels...)
		run(t, tool("amtool"), args...)
	}
	for name, alert := range shippedAlerts(t) {
		severity := alert.Labels["severity"]
		route(receivers[severity], "alertname="+name, "severity="+severity, "job=hmp", "target=studio", "session=playout")
	}
	route("default", "alertname=Watchdog", "severity=none")
}

// labelsOfHMPs are the examples in the configuration of labels that differ between HMPs.
var labelsOfHMPs = []string{"cluster", "namespace", "site", "team"}

var labelInText = regexp.MustCompile(`\$labels\.(\w+)`)

// TestAlertmanagerGroups checks that all alerts of a group have the same summary. A
// notification needs it as its title.
func TestAlertmanagerGroups(t *testing.T) {
	top := shippedAlertmanager(t).Route
	for name, alert := range shippedAlerts(t) {
		group := top.groupOf(t, map[string]string{"alertname": name, "severity": alert.Labels["severity"]})
		want := append([]string{"alertname"}, labelsOfHMPs...)
		for _, label := range labelInText.FindAllStringSubmatch(alert.Annotations["summary"], -1) {
			want = append(want, label[1])
		}
		for _, label := range want {
			if !slices.Contains(group, label) {
				t.Errorf("%s is grouped by %q, want %s too", name, group, label)
			}
		}
	}
}

// groupOf returns the labels that an alert is grouped by.
func (r route) groupOf(t *testing.T, labels map[string]string) []string {
	t.Helper()
	for _, child := range r.Routes {
		if satisfies(t, labels, child.Matchers) {
			if child.GroupBy == nil {
				child.GroupBy = r.GroupBy
			}
			return child.groupOf(t, labels)
		}
	}
	return r.GroupBy
}

// inhibitions has the alerts of each inhibit rule, in the order of the configuration.
var inhibitions = []struct{ sources, targets string }{
	{
		"HMPExporterDown",
		"all except HMPWatchdog",
	},
	{
		"HMPExporterDown HMPExporterScrapeFailing",
		"HMPExporterAbsent",
	},
	{
		"HMPUnreachable",
		"all except HMPExporterAbsent HMPExporterConfigReloadFailed HMPExporterDown HMPExporterInstanceDown " +
			"HMPExporterPanics HMPExporterSaturated HMPExporterScrapeFailing HMPUpgraded HMPWatchdog",
	},
	{
		"HMPAuthServiceUnavailable",
		"HMPSessionAvailabilityBurnFast HMPSessionAvailabilityBurnSlow HMPSessionDisputed HMPSessionFlapping " +
			"HMPSessionInvalid HMPSessionLatencyHigh HMPSessionLoginSuspended HMPTokenExpiringUnrenewed",
	},
	{
		"HMPEndpointMissing HMPInternalError HMPSessionInvalid HMPSessionLoginRejected HMPSessionNoRoles " +
			" HMPSessionUnauthorized",
		"HMPSessionAvailabilityBurnFast HMPSessionAvailabilityBurnSlow HMPSessionDisputed HMPSessionFlapping " +
			"HMPSessionLatencyHigh HMPSessionLoginSuspended HMPTokenExpiringUnrenewed",
	},
	{
		"HMPSessionAvailabilityBurnFast",
		"HMPSessionAvailabilityBurnSlow",
	},
	{
		"HMPCertificateExpiringCritical",
		"HMPCertificateExpiringSoon",
	},
}

// TestAlertmanagerInhibitRules checks which alerts each rule silences. No alert may silence
// itself or an alert of another HMP.
func TestAlertmanagerInhibitRules(t *testing.T) {
	rules := shippedAlertmanager(t).InhibitRules
	if len(rules) != len(inhibitions) {
		t.Fatalf("there are %d inhibit rules, want %d", len(rules), len(inhibitions))
	}
	alerts := slices.Sorted(maps.Keys(shippedAlerts(t)))
	for i, r := range rules {
		sources, targets := matching(t, r.Source, alerts), matching(t, r.Target, alerts)
		wantTargets := strings.Fields(inhibitions[i].targets)
		if others, ok := strings.CutPrefix(inhibitions[i].targets, "all except "); ok {
			wantTargets = slices.DeleteFunc(slices.Clone(alerts), func(name string) bool {
				return slices.Contains(sources, name) || slices.Contains(strings.Fields(others), name)
			})
		}
		if diff := cmp.Diff(strings.Fields(inhibitions[i].sources), sources); diff != "" {
			t.Errorf("sources of inhibit rule %d (-want +got):\n%s", i, diff)
		}
		if diff := cmp.Diff(wantTargets, targets); diff != "" {
			t.Errorf("targets of inhibit rule %d (-want +got):\n%s", i, diff)
		}
		for _, label := range append([]string{"job", "target"}, labelsOfHMPs...) {
			if len(r.Equal) > 0 && !slices.Contains(r.Equal, label) {
				t.Errorf("inhibit rule %d does not compare %s", i, label)
			}
		}
	}
}

// TestAlertmanagerInhibits starts Alertmanager with the shipped configuration, about which it
// must not warn. An exporter is down, so alerts of its HMP are silenced. Alerts of other
// exporters, HMPs and clusters stay active.
func TestAlertmanagerInhibits(t *testing.T) {
	t.Parallel()
	alertmanager := startAlertmanager(t, alertmanagerFile)
	want := map[string]string{
		"HMPExporterDown cluster=a job=hmp target=studio": "active",
		"HMPExporterAbsent": "suppressed",
		"HMPServiceMessages cluster=a job=hmp target=studio":           "suppressed",
		"HMPServiceMessages cluster=b job=hmp target=studio":           "active",
		"HMPServiceMessages job=hmp target=campus":                     "active",
		"HMPServiceMessages job=other target=studio":                   "active",
		"HMPExporterConfigReloadFailed instance=other:10042 job=hmp":   "active",
		"HMPExporterConfigReloadFailed instance=other:10042 job=other": "active",
		"HMPExporterInstanceDown instance=other:10042 job=hmp":         "active",
		"HMPExporterInstanceDown instance=other:10042 job=other":       "active",
		"HMPExporterPanics instance=other:10042 job=hmp":               "active",
		"HMPExporterPanics instance=other:10042 job=other":             "active",
	}
	for alert := range want {
		run(t, tool("amtool"), append([]string{"--alertmanager.url=" + alertmanager.URL, "alert", "add"}, strings.Fields(alert)...)...)
	}
	exportertest.Eventually(t, "Alertmanager to decide", func() error {
		got := make(map[string]string)
		for _, alert := range activeAlerts(t, alertmanager.URL) {
			text := alert.Labels["alertname"]
			for _, label := range []string{"cluster", "instance", "job", "target"} {
				if value := alert.Labels[label]; value != "" {
					text += " " + label + "=" + value
				}
			}
			got[text] = alert.Status.State
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("states (-want +got):\n%s", diff)
		}
		return nil
	})
	if log := alertmanager.Log.String(); strings.Contains(log, "level=WARN") {
		t.Errorf("Alertmanager warns:\n%s", log)
	}
}

// startAlertmanager starts an Alertmanager with a configuration file.
func startAlertmanager(t *testing.T, config string) *process {
	t.Helper()
	p := start(t, command(t, tool("alertmanager"),
		"--config.file="+config,
		"--storage.path="+t.TempDir(),
		"--cluster.listen-address=",
		"--web.listen-address=127.0.0.1:0"))
	p.waitForURL(t)
	return p
}

// An activeAlert is an alert that Alertmanager knows.
type activeAlert struct {
	Labels map[string]string
	Status struct {
		State       string
		InhibitedBy []string
	}
}

// activeAlerts returns the alerts that an Alertmanager knows.
func activeAlerts(t *testing.T, url string) (alerts []activeAlert) {
	t.Helper()
	getJSON(t, url+"/api/v2/alerts", &alerts)
	return alerts
}

// matching returns the names of alerts that satisfy all matchers.
func matching(t *testing.T, matchers, names []string) []string {
	t.Helper()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !satisfies(t, map[string]string{"alertname": name}, matchers)
	})
}

var matcherPattern = regexp.MustCompile(`^(alertname|severity)(=|!=|=~|!~)"(.*)"$`)

// satisfies tells whether labels satisfy all matchers.
func satisfies(t *testing.T, labels map[string]string, matchers []string) bool {
	t.Helper()
	for _, matcher := range matchers {
		parts := matcherPattern.FindStringSubmatch(matcher)
		if parts == nil {
			t.Fatalf("unexpected matcher %s", matcher)
		}
		equal := regexp.MustCompile(`^(?:` + parts[3] + `)$`).MatchString(labels[parts[1]])
		if equal == strings.HasPrefix(parts[2], "!") {
			return false
		}
	}
	return true
}
