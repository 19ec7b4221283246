package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// expectUpgrade waits until Prometheus has seen how the demo upgrades an HMP: one version before and another one after
// it, and each gone when the other is there.
func (p prometheus) expectUpgrade(t *testing.T, job string) {
	t.Helper()
	info := fmt.Sprintf(`hmp_info{job=%q,target="museum"}`, job)
	versions := func(expression string) map[string]bool {
		seen := make(map[string]bool)
		for _, s := range p.query(t, expression) {
			seen[s.Labels["version"]+" "+s.Labels["build"]] = true
		}
		return seen
	}
	after := map[string]bool{"4.1.1 30242": true}
	alert := fmt.Sprintf(`count_over_time(ALERTS{alertname="HMPUpgraded",alertstate="firing",job=%q}[10m])`, job)
	within(t, 2*time.Minute, "the HMP is upgraded, and the alert tells of it", func() error {
		if diff := cmp.Diff([]map[string]bool{after, after}, []map[string]bool{versions(info), versions(alert)}); diff != "" {
			return fmt.Errorf("(-want +got):\n%s", diff)
		}
		return nil
	})
	both := map[string]bool{"4.1.0 30241": true, "4.1.1 30242": true}
	if diff := cmp.Diff(both, versions(`count_over_time(`+info+`[10m])`)); diff != "" {
		t.Errorf("in all scrapes (-want +got):\n%s", diff)
	}
	p.expectNone(t, fmt.Sprintf(`max_over_time((count by (target) (hmp_info{job=%q}))[10m:1s]) > 1`, job))
}
