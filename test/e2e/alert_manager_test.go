package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const alertmanagerConfig = "../../deploy/alertmanager/alertmanager.yml"

// TestAlertmanagerConfig has amtool check the configuration, as it is and with all the examples in it.
func TestAlertmanagerConfig(t *testing.T) {
	examples := regexp.MustCompile(`(?m)^( *)#(\S| {2})`).ReplaceAllString(string(read(t, alertmanagerConfig)), "$1$2")
	for _, receiver := range []string{"pagerduty", "webhook", "slack", "email"} {
		if !strings.Contains(examples, "\n    "+receiver+"_configs:\n") {
			t.Errorf("there is no example of %s", receiver)
		}
	}
	with := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(with, []byte(examples), 0o600); err != nil {
		t.Fatal(err)
	}
	for config, receivers := range map[string]string{alertmanagerConfig: "5", with: "6"} {
		output, err := command(t, tool("amtool"), "check-config", config).CombinedOutput()
		if err != nil {
			t.Errorf("amtool check-config: %v\n%s", err, output)
		}
		if !strings.Contains(string(output), " - 7 inhibit rules") || !strings.Contains(string(output), " - "+receivers+" receivers") {
			t.Errorf("amtool finds something else than there is:\n%s", output)
		}
	}
}

// TestAlertmanagerHasNoDoubts starts it with the configuration as it is. It warns if it cannot do what that says, such as
// not to repeat itself for longer than it keeps data.
func TestAlertmanagerHasNoDoubts(t *testing.T) {
	p := start(t, command(t, tool("alertmanager"),
		"--config.file="+alertmanagerConfig,
		"--storage.path="+t.TempDir(),
		"--cluster.listen-address=",
		"--web.listen-address=127.0.0.1:0"))
	p.url(t)
	if output := p.output.String(); strings.Contains(output, "level=WARN") {
		t.Errorf("Alertmanager warns:\n%s", output)
	}
}

// TestAlertmanagerRoutes is that each alert gets to the receiver of its severity, and what is not HMP's to the default.
func TestAlertmanagerRoutes(t *testing.T) {
	receivers := map[string]string{"critical": "page", "warning": "ticket", "info": "context", "none": "watchdog"}
	route := func(receiver string, labels ...string) {
		t.Helper()
		args := append([]string{"config", "routes", "test", "--config.file=" + alertmanagerConfig, "--verify.receivers=" + receiver}, labels...)
		if output, err := command(t, tool("amtool"), args...).CombinedOutput(); err != nil {
			t.Errorf("%v does not get to %s: %v\n%s", labels, receiver, err, output)
		}
	}
	for name, alert := range shippedAlerts(t) {
		severity := alert.Labels["severity"]
		route(receivers[severity], "alertname="+name, "severity="+severity, "job=hmp", "target=studio", "session=playout")
	}
	route("default", "alertname=Watchdog", "severity=none")
}

// inhibitions are who silences whom, by the rules of the configuration in their order.
var inhibitions = []struct{ sources, targets string }{
	{
		"HMPExporterDown",
		"every other but HMPWatchdog",
	},
	{
		"HMPExporterDown HMPExporterScrapeFailing",
		"HMPExporterAbsent",
	},
	{
		"HMPUnreachable",
		"every other but HMPExporterAbsent HMPExporterConfigReloadFailed HMPExporterDown HMPExporterInstanceDown " +
			"HMPExporterPanics HMPExporterSaturated HMPExporterScrapeFailing HMPUpgraded HMPWatchdog",
	},
	{
		"HMPAuthServiceUnavailable",
		"HMPSessionAvailabilityBurnFast HMPSessionAvailabilityBurnSlow HMPSessionDisputed HMPSessionFlapping " +
			"HMPSessionInvalid HMPSessionLatencyHigh HMPSessionLoginSuspended HMPTokenExpiringUnrenewed",
	},
	{
		"HMPEndpointMissing HMPExporterSaturated HMPInternalError HMPSessionInvalid HMPSessionLoginRejected " +
			"HMPSessionNoRoles HMPSessionUnauthorized",
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

// TestAlertmanagerInhibitions is that each rule silences whom it should, and no alert silences itself.
func TestAlertmanagerInhibitions(t *testing.T) {
	var config struct {
		Rules []struct {
			Source []string `yaml:"source_matchers"`
			Target []string `yaml:"target_matchers"`
		} `yaml:"inhibit_rules"`
	}
	decode(t, alertmanagerConfig, &config)
	if len(config.Rules) != len(inhibitions) {
		t.Fatalf("there are %d inhibit rules, want %d", len(config.Rules), len(inhibitions))
	}
	alerts := slices.Sorted(maps.Keys(shippedAlerts(t)))
	for i, r := range config.Rules {
		sources, targets := matching(t, r.Source, alerts), matching(t, r.Target, alerts)
		wantTargets := strings.Fields(inhibitions[i].targets)
		if others, ok := strings.CutPrefix(inhibitions[i].targets, "every other"); ok {
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
	}
}

// TestAlertmanagerSilencesNoOtherExporter gives Alertmanager alerts about an exporter that is down, and about others of
// the same job. It silences what was known of the HMP that nobody watches, and nothing about another exporter or HMP, nor
// about one of the same name in another cluster.
func TestAlertmanagerSilencesNoOtherExporter(t *testing.T) {
	s := &alertStack{journal: newJournal(t)}
	s.startAlertmanager(t)
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
		args := append([]string{"--alertmanager.url=" + s.alertmanager, "alert", "add"}, strings.Fields(alert)...)
		if output, err := command(t, tool("amtool"), args...).CombinedOutput(); err != nil {
			t.Fatalf("amtool alert add: %v\n%s", err, output)
		}
	}
	eventually(t, "Alertmanager has decided", func() error {
		got := make(map[string]string)
		for _, alert := range s.heldAlerts(t) {
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
}

// matching are the names that satisfy all of some matchers.
func matching(t *testing.T, matchers, names []string) []string {
	t.Helper()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !satisfies(t, map[string]string{"alertname": name}, matchers)
	})
}

var matcherPattern = regexp.MustCompile(`^(alertname|severity)(=|!=|=~|!~)"(.*)"$`)

// satisfies tells whether labels satisfy all of some matchers.
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
