package report

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// schema is the one that users have.
func schema(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	text, err := os.ReadFile("../../docs/probe.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// written returns a report as JSON, and as what a reader makes of that.
func written(t *testing.T, r *Report) (text string, value map[string]any) {
	t.Helper()
	var out strings.Builder
	w := bufio.NewWriter(&out)
	if err := writeJSON(w, r); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(out.String()), &value); err != nil {
		t.Fatal(err)
	}
	return out.String(), value
}

func TestJSON(t *testing.T) {
	text, value := written(t, sample())
	golden(t, "probe.json", text)
	if err := schema(t).Validate(value); err != nil {
		t.Errorf("the schema does not have it: %v", err)
	}
}

// A schema that lets anything through would be of no use.
func TestSchemaIsStrict(t *testing.T) {
	s := schema(t)
	for name, spoil := range map[string]func(document, session map[string]any){
		"an unknown field":    func(d, _ map[string]any) { d["more"] = 1 },
		"an unknown result":   func(_, s map[string]any) { s["result"] = "fine" },
		"a number as code":    func(_, s map[string]any) { s["error"] = map[string]any{"code": 20001, "name": "x"} },
		"a field is missing":  func(_, s map[string]any) { delete(s, "valid") },
		"a local time":        func(d, _ map[string]any) { d["started"] = "2026-05-04T03:02:01+02:00" },
		"a negative duration": func(d, _ map[string]any) { d["duration_seconds"] = -1 },
		"a token":             func(_, s map[string]any) { s["user"].(map[string]any)["token"] = "secret" },
	} {
		_, value := written(t, sample())
		spoil(value, value["sessions"].([]any)[0].(map[string]any))
		if s.Validate(value) == nil {
			t.Errorf("%s is let through", name)
		}
	}
}

// The schema has the results that there are.
func TestSchemaResults(t *testing.T) {
	var listed []hmp.Result
	text, err := os.ReadFile("../../docs/probe.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Defs struct {
			Result struct{ Enum []hmp.Result } `json:"result"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	for _, o := range hmp.Results {
		listed = append(listed, o.Result)
	}
	if !slices.Equal(listed, s.Defs.Result.Enum) {
		t.Errorf("the schema has %q, and there are %q", s.Defs.Result.Enum, listed)
	}
}

// The metrics are those of /probe, of what was probed.
func TestMetrics(t *testing.T) {
	r := sample()
	var got, want strings.Builder
	w := bufio.NewWriter(&got)
	writeMetrics(w, r)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var results []collector.Result
	for _, a := range r.Attempts[:len(r.Attempts)-2] {
		results = append(results, *a.Result)
	}
	w.Reset(&want)
	collector.WriteText(w, results, false)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() || got.Len() == 0 {
		t.Errorf("got\n%s", got.String())
	}
}
