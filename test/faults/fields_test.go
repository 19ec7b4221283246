package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/collector"
)

// fields are the fields of a session in the vendor's example. Each has a correct value and the
// metric that is made from it.
var fields = []struct{ name, kind, value, metric string }{
	{"admin", "boolean", "true", collector.SessionAdmin},
	{"assets", "object", "{}", ""},
	{"authToken", "string", `"` + token + `"`, ""},
	{"displayName", "string", `"CANARY the User"`, ""},
	{"groups", "array", `["CANARY-group"]`, ""},
	{"id", "string", `"d2be5490"`, ""},
	{"lastAction", "time", `"2025-03-21T19:20:01.099Z"`, collector.SessionLastAction},
	{"lastLoginDate", "time", `"2025-03-21T17:29:07.272Z"`, collector.SessionLastLogin},
	{"provisionType", "string", `"jit"`, ""},
	{"numLoginFailures", "number", "0", collector.SessionLoginFailures},
	{"preferredUsername", "string", `"CANARY-user"`, ""},
	{"roleIds", "array", `["912cf463"]`, collector.SessionRoles},
	{"roles", "array", `[{"id":"912cf463","name":"CANARY-role","admin":true,"permissions":{}}]`, ""},
	{"sections", "object", "{}", ""},
	{"sessionId", "string", `"CANARY-id"`, ""},
	{"sessions", "object", "{}", ""},
	{"sharePermissions", "object", "{}", ""},
	{"sources", "object", "{}", ""},
	{"username", "string", `"CANARY-user"`, ""},
	{"serviceMessages", "array", `["one"]`, collector.SessionMessages},
}

var values = []struct{ kind, value string }{
	{"null", "null"},
	{"boolean", "false"},
	{"number", "17.5"},
	{"wrong number", "-1"},
	{"wrong number", "1e999"},
	{"string", `"CANARY"`},
	{"string", `"17"`},
	{"string", `""`},
	{"array", `[["CANARY"]]`},
	{"object", `{"CANARY":1}`},
}

// TestFields gives every field of a session every wrong type: one field with a metric at a time,
// and the others together. The session stays valid. Only the metric that is made from the field
// is missing.
func TestFields(t *testing.T) {
	var body atomic.Pointer[string]
	answer := func(text string) { body.Store(&text) }
	s := newSetup(t)
	defer s.close()
	s.configure("service_message_text: true")
	s.target(eachRequest(func(p *peer, _ *http.Request) { p.write(*body.Load()) }))
	e := s.startExporter(withToken)

	answer(response(200, sessionWith("")))
	all := e.scrape(t).names()
	check := func(value, metric string, names ...string) {
		t.Run(strings.Join(names, ",")+" "+value, func(t *testing.T) {
			answer(response(200, sessionWith(value, names...)))
			got := e.scrape(t)
			if name := got.result(t).Name; name != "valid" {
				t.Errorf("the result is %s", name)
			}
			left := slices.DeleteFunc(slices.Clone(all), func(name string) bool {
				return name == metric || metric == collector.SessionMessages && name == collector.SessionMessageInfo
			})
			if diff := cmp.Diff(left, got.names()); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
			got.checkLimits(t, rowTimeout)
		})
	}
	for _, v := range values {
		var others []string
		for _, f := range fields {
			switch {
			case f.kind == v.kind:
			case f.metric == "":
				others = append(others, f.name)
			case !slices.Contains(all, f.metric):
				t.Errorf("a correct session has no %s", f.metric)
			default:
				check(v.value, f.metric, f.name)
			}
		}
		check(v.value, "", others...)
	}
}

// sessionWith returns a session with another value of some fields.
func sessionWith(value string, names ...string) string {
	var b strings.Builder
	for _, f := range fields {
		text := f.value
		if slices.Contains(names, f.name) {
			text = value
		}
		fmt.Fprintf(&b, ",%q:%s", f.name, text)
	}
	return `{"data":{` + b.String()[1:] + "}}"
}
