package e2e

import (
	"regexp"
	"slices"
	"testing"
	"time"
)

// A route is one of Alertmanager's, with what it does not take from the one above it.
type route struct {
	GroupBy  []string `yaml:"group_by"`
	Matchers []string `yaml:"matchers"`
	Repeat   string   `yaml:"repeat_interval"`
	Routes   []route  `yaml:"routes"`
}

func shippedRoutes(t *testing.T) route {
	t.Helper()
	var config struct{ Route route }
	decode(t, alertmanagerConfig, &config)
	return config.Route
}

// groupOf are the labels that alerts with some labels are put together by.
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

// keptLabels are those that the configuration has as examples of labels that tell HMPs apart.
var keptLabels = []string{"cluster", "namespace", "site", "team"}

var labelInText = regexp.MustCompile(`\$labels\.(\w+)`)

// TestAlertmanagerGroups is that the summary of an alert is that of its whole group: each label that it names is one
// that the alerts of a group have in common. Without that, a notification has no heading.
func TestAlertmanagerGroups(t *testing.T) {
	top := shippedRoutes(t)
	for name, alert := range shippedAlerts(t) {
		group := top.groupOf(t, map[string]string{"alertname": name, "severity": alert.Labels["severity"]})
		for _, label := range append([]string{"alertname"}, keptLabels...) {
			if !slices.Contains(group, label) {
				t.Errorf("%s is told together with others, by %q", name, group)
			}
		}
		for _, label := range labelInText.FindAllStringSubmatch(alert.Annotations["summary"], -1) {
			if !slices.Contains(group, label[1]) {
				t.Errorf("the summary of %s names its %s, and it is grouped by %q", name, label[1], group)
			}
		}
	}
}

// TestAlertmanagerInhibitsWithinLabels is that an alert silences none of an HMP that another label tells apart.
func TestAlertmanagerInhibitsWithinLabels(t *testing.T) {
	var config struct {
		Rules []struct{ Equal []string } `yaml:"inhibit_rules"`
	}
	decode(t, alertmanagerConfig, &config)
	for i, r := range config.Rules {
		for _, label := range append([]string{"job", "target"}, keptLabels...) {
			if len(r.Equal) > 0 && !slices.Contains(r.Equal, label) {
				t.Errorf("inhibit rule %d does not compare %s", i, label)
			}
		}
	}
}

// retention is how long Alertmanager remembers whom it told, unless --data.retention says otherwise.
const retention = 120 * time.Hour

// TestAlertmanagerRepeats is that nothing is to be told again after a time that Alertmanager does not remember.
func TestAlertmanagerRepeats(t *testing.T) {
	var check func(route)
	check = func(r route) {
		if r.Repeat != "" && parseDuration(t, r.Repeat) > retention {
			t.Errorf("what %q match is repeated after %s, and would be after %s", r.Matchers, r.Repeat, retention)
		}
		for _, child := range r.Routes {
			check(child)
		}
	}
	check(shippedRoutes(t))
}
