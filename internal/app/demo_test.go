package app

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hmp_exporter/internal/exportertest"
)

// TestDemo is that the demo shows every result that an HMP can cause, and that its page lives
// without a scrape. On a busy machine, one scrape may not have all results.
func TestDemo(t *testing.T) {
	t.Parallel()
	p := start(t, "demo")
	exportertest.WaitFor(t, "the page to show all sessions", func() bool {
		_, page := p.Get(t, "/")
		return strings.Contains(page, "of 31 sessions</a> are not valid") && strings.Contains(page, "on 10 targets") &&
			!strings.Contains(page, "not probed yet")
	})
	missing := []string{
		"valid", "no_roles", "unauthorized", "internal_error", "auth_unavailable", "endpoint_missing", "redirect", "http_error",
		"bad_payload", "timeout", "dns", "connect", "tls", "protocol", "login_rejected", "credentials",
	}
	for deadline := time.Now().Add(2 * exportertest.Timeout); len(missing) > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("no session ever had the results %v", missing)
		}
		_, body := p.Get(t, "/metrics")
		missing = slices.DeleteFunc(missing, func(result string) bool {
			return regexp.MustCompile(`(?m)^hmp_session_probe_result\{result="` + result + `",.*\} 1$`).MatchString(body)
		})
	}
	stop(t, p)
	for _, want := range []string{"31 sessions on 10 targets", "Open " + p.URL + "/", "studio/newsroom"} {
		if !strings.Contains(p.Log.String(), want) {
			t.Errorf("it did not print %q:\n%s", want, p.Log)
		}
	}
}
