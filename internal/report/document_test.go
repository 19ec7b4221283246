package report

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"hmp_exporter/collector"
)

// readSchema returns the schema that users have.
func readSchema(t *testing.T) *jsonschema.Resolved {
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

func writeSample(t *testing.T) (text string, value map[string]any) {
	t.Helper()
	var out strings.Builder
	if err := sample().WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(out.String()), &value); err != nil {
		t.Fatal(err)
	}
	return out.String(), value
}

func TestWriteJSON(t *testing.T) {
	text, value := writeSample(t)
	golden(t, "probe.json", text)
	if err := readSchema(t).Validate(value); err != nil {
		t.Errorf("the document does not conform to the schema: %v", err)
	}
}

// TestWriteLast writes results of different times. The document covers all of them.
func TestWriteLast(t *testing.T) {
	results := sample().Results[:2]
	results[0].Start = began.Add(-60e9)
	results = append(results, collector.Result{Target: "lab", Session: "new"})
	var out strings.Builder
	if err := WriteLast(&out, results); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"started": "2026-05-04T03:01:01.234Z"`, `"duration_seconds": 60.1`, `"stopped": null`,
		`"sessions": 3`, `"valid": 1`, `"not_valid": 1`, `"not_probed": 1`,
	} {
		if !strings.Contains(out.String(), want+",") && !strings.Contains(out.String(), want+"\n") {
			t.Errorf("the document lacks %s:\n%s", want, out.String())
		}
	}
}

// TestSchemaIsStrict has documents that the schema must refuse.
func TestSchemaIsStrict(t *testing.T) {
	s := readSchema(t)
	for name, change := range map[string]func(document, session map[string]any){
		"an unknown field":    func(d, _ map[string]any) { d["more"] = 1 },
		"an unknown result":   func(_, s map[string]any) { s["result"] = "fine" },
		"a number as code":    func(_, s map[string]any) { s["error"] = map[string]any{"code": 20001, "name": "x"} },
		"a field is missing":  func(_, s map[string]any) { delete(s, "valid") },
		"a local time":        func(d, _ map[string]any) { d["started"] = "2026-05-04T03:02:01+02:00" },
		"a negative duration": func(d, _ map[string]any) { d["duration_seconds"] = -1 },
		"a token":             func(_, s map[string]any) { s["user"].(map[string]any)["token"] = "secret" },
	} {
		_, value := writeSample(t)
		change(value, value["sessions"].([]any)[0].(map[string]any))
		if s.Validate(value) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
