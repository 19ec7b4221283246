package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// builtDashboards returns all dashboards.
func builtDashboards(t *testing.T) (list []dashboard.Dashboard) {
	t.Helper()
	for _, b := range boards() {
		d, err := build(b)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	return list
}

// TestGenerated checks that the files are up to date.
func TestGenerated(t *testing.T) {
	for _, d := range builtDashboards(t) {
		want, err := encode(d)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("../../dashboards/" + *d.Uid + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s.json is outdated, run `go generate` (-code +file):\n%s", *d.Uid, diff)
		}
	}
}

// TestSchema checks the files with Grafana's schema.
func TestSchema(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for _, d := range builtDashboards(t) {
		text, err := encode(d)
		if err != nil {
			t.Fatal(err)
		}
		var read dashboard.Dashboard
		if err := read.UnmarshalJSONStrict(withoutAnnotationTexts(t, text)); err != nil {
			t.Errorf("%s: %v", *d.Uid, err)
		}
		if err := read.Validate(); err != nil {
			t.Errorf("%s: %v", *d.Uid, err)
		}
	}
}

// withoutAnnotationTexts removes the fields of annotations that the SDK does not know.
func withoutAnnotationTexts(t *testing.T, text []byte) []byte {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	for _, a := range d["annotations"].(map[string]any)["list"].([]any) {
		for _, field := range []string{"titleFormat", "textFormat"} {
			if value, _ := a.(map[string]any)[field].(string); value == "" {
				t.Errorf("an annotation has no %s", field)
			}
			delete(a.(map[string]any), field)
		}
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
