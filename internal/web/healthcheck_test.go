package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/internal/canary"
)

func TestHealthcheck(t *testing.T) {
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	ready := newRig(t, fleet)
	empty := newRig(t, "")
	refused := httptest.NewServer(nil)
	refused.Close()
	at := strings.TrimPrefix(empty.url, "http://")
	for _, c := range []struct{ name, url, want string }{
		{"healthy", ready.url + "/-/healthy", ""},
		{"ready", ready.url + "/-/ready", ""},
		{"alive without a configuration", empty.url + "/-/healthy", ""},
		{"not ready", empty.url + "/-/ready", empty.url + "/-/ready answers 503 Service Unavailable"},
		{"password", "http://me:CANARY@" + at + "/-/ready", "http://me:xxxxx@" + at + "/-/ready answers 503 Service Unavailable"},
		{"nothing there", empty.url + "/nothing", empty.url + "/nothing answers 404 Not Found"},
		{"refused", refused.URL, `Get "` + refused.URL + `": dial tcp ` + refused.Listener.Addr().String() + ": connect: connection refused"},
		{"no URL", "localhost", `Get "localhost": unsupported protocol scheme ""`},
		{"malformed URL", "http://localhost:port", `parse "http://localhost:port": invalid port ":port" after host`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := Healthcheck(t.Context(), c.url); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			canary.Check(t, "the error", got)
		})
	}
}
