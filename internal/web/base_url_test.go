package web

import (
	"strings"
	"testing"
)

// TestBaseURL is the prefix for the two flags, as in Prometheus.
func TestBaseURL(t *testing.T) {
	for _, c := range []struct{ external, prefix, want string }{
		{"", "", ""},
		{"", "/", ""},
		{"", "hmp/", "/hmp"},
		{"https://proxy.example", "", ""},
		{"https://proxy.example/hmp/", "", "/hmp"},
		{"/hmp/", "", "/hmp"},
		{"https://proxy.example/hmp", "/", ""},
		{"https://proxy.example/hmp", "/other", "/other"},
		{"proxy.example/hmp", "", "--web.external-url has to be a URL"},
		{"ftp://proxy.example/", "", "--web.external-url has to be a URL"},
		{"https://a:CANARY@proxy.example/", "", "--web.external-url has to be a URL"},
		{"", "/{hmp}", "is not a path"},
		{"", "/a/../b", "is not a path"},
	} {
		base, err := NewBaseURL(c.external, c.prefix)
		if err != nil {
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("%s, %s: error %v, want %q", c.external, c.prefix, err, c.want)
			}
			continue
		}
		address, err := healthURL(webFlags("", "localhost:1"), base)
		if want := "http://localhost:1" + c.want + "/-/healthy"; err != nil || address != want {
			t.Errorf("%s, %s: its health is at %s, %v, want %s", c.external, c.prefix, address, err, want)
		}
	}
}
