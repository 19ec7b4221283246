// Dashboards writes the Grafana dashboards in dashboards/: hmp-overview.json, hmp-session.json and
// hmp-exporter.json.
//
// They are Go code, so that a metric that gets another name, or a result that is added, fails the build or a test and
// does not leave a panel empty. `go generate` writes the files anew; a test fails while they are not what the code
// says.
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

// boards are all dashboards, each under its uid, which is also the name of its file.
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

// build makes a dashboard and numbers its panels, as Grafana would when it first saves them.
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

// encode writes the file of a dashboard.
func encode(d dashboard.Dashboard) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(withEventTexts(d)); err != nil {
		return nil, fmt.Errorf("encode the dashboard: %w", err)
	}
	return text.Bytes(), nil
}
