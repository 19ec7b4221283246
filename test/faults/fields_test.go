package faults

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/collector"
)

// fields are the fields of a session in the vendor's example. Each has a correct value and the
// metric that is made from it.
var fields = []struct{ name, value, metric string }{
	{"admin", "true", collector.SessionAdmin},
	{"assets", "{}", ""},
	{"authToken", `"` + token + `"`, ""},
	{"displayName", `"CANARY the User"`, ""},
	{"groups", `["CANARY-group"]`, ""},
	{"id", `"d2be5490"`, ""},
	{"lastAction", `"2025-03-21T19:20:01.099Z"`, collector.SessionLastAction},
	{"lastLoginDate", `"2025-03-21T17:29:07.272Z"`, collector.SessionLastLogin},
	{"provisionType", `"jit"`, ""},
	{"numLoginFailures", "0", collector.SessionLoginFailures},
	{"preferredUsername", `"CANARY-user"`, ""},
	{"roleIds", `["912cf463"]`, collector.SessionRoles},
	{"roles", `[{"id":"912cf463","name":"CANARY-role","admin":true,"permissions":{}}]`, ""},
	{"sections", "{}", ""},
	{"sessionId", `"CANARY-id"`, ""},
	{"sessions", "{}", ""},
	{"sharePermissions", "{}", ""},
	{"sources", "{}", ""},
	{"username", `"CANARY-user"`, ""},
	{"serviceMessages", `["one"]`, collector.SessionMessages},
}

// values have every JSON type. None has the correct form for a field.
var values = []string{"null", "false", "17.5", "-1", "1e999", `"CANARY"`, `"17"`, `""`, `[["CANARY"]]`, `{"CANARY":1}`}

// fits tells whether a value has the type of a field.
func fits(field, value string) bool {
	switch {
	case strings.HasPrefix(field, `"20`): // a time
		return false
	case field == "0": // a number from zero up
		return value == "17.5"
	case field == "true":
		return value == "false"
	default:
		return field[0] == value[0]
	}
}

// TestFields gives every field of a session every wrong type. The session stays valid. Only
// the metric that is made from the field is missing.
func TestFields(t *testing.T) {
	var body atomic.Pointer[string]
	answer := func(text string) { body.Store(&text) }
	s := newSetup(t, t.TempDir())
	defer s.close()
	s.set("service_message_text: true")
	s.target(eachRequest(func(p *peer, _ *http.Request) { p.write(*body.Load()) }))
	s.file("hmp.yml", "targets:\n"+s.configuration("studio", withToken))
	e := export(t, filepath.Join(s.dir, "hmp.yml"))
	defer e.close()

	answer(response(200, sessionWith("", "")))
	o := observe(t, e)
	all := o.names()
	for _, f := range fields {
		if f.metric != "" && !slices.Contains(all, f.metric) {
			t.Errorf("a correct session has no %s", f.metric)
		}
		for _, v := range values {
			if fits(f.value, v) {
				continue
			}
			t.Run(f.name+" is "+v, func(t *testing.T) {
				answer(response(200, sessionWith(f.name, v)))
				o := observe(t, e)
				if got := o.result(t); got.Result != "valid" {
					t.Errorf("the result is %s", got.Result)
				}
				left := slices.DeleteFunc(slices.Clone(all), func(name string) bool {
					return name == f.metric || f.metric == collector.SessionMessages && name == collector.SessionMessageInfo
				})
				if diff := cmp.Diff(left, o.names()); diff != "" {
					t.Errorf("metrics (-want +got):\n%s", diff)
				}
				o.checkLimits(t, rowTimeout)
			})
		}
	}
}

// sessionWith returns a session with another value of a field.
func sessionWith(name, value string) string {
	var b strings.Builder
	for _, f := range fields {
		text := f.value
		if f.name == name {
			text = value
		}
		fmt.Fprintf(&b, ",%q:%s", f.name, text)
	}
	return `{"data":{` + b.String()[1:] + "}}"
}
