// Dashboards writes the Grafana dashboards in dashboards/: hmp-overview.json, hmp-session.json and
// hmp-exporter.json.
//
// The dashboards are Go code. If a metric is renamed or a result is added, the build or a test
// fails, and no panel stays empty. `go generate` writes the files. TestGenerated compares them.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

//go:generate go run .

func main() {
	if err := writeAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// boards returns all dashboards. The uid is also the name of the file.
func boards() []*dashboard.DashboardBuilder {
	return []*dashboard.DashboardBuilder{overview(), session(), exporter()}
}

func writeAll() error {
	for _, b := range boards() {
		built, err := build(b)
		if err != nil {
			return err
		}
		text, err := encode(built)
		if err != nil {
			return err
		}
		if err := os.WriteFile("../../dashboards/"+*built.Uid+".json", text, 0o644); err != nil { //nolint:gosec // everybody may read it
			return fmt.Errorf("write the dashboard: %w", err)
		}
	}
	return nil
}

// build builds a dashboard and numbers its panels, as Grafana does when it saves one.
func build(b *dashboard.DashboardBuilder) (dashboard.Dashboard, error) {
	built, err := b.Build()
	if err != nil {
		return built, fmt.Errorf("build the dashboard: %w", err)
	}
	for i := range built.Panels {
		id := uint32(i + 1)
		if row := built.Panels[i].RowPanel; row != nil {
			row.Id = id
			continue
		}
		built.Panels[i].Panel.Id = &id
	}
	return built, nil
}

// encode returns the file of a dashboard.
func encode(d dashboard.Dashboard) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(withAnnotationTexts(d)); err != nil {
		return nil, fmt.Errorf("encode the dashboard: %w", err)
	}
	return text.Bytes(), nil
}
