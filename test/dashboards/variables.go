package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"hmp_exporter/collector"
)

// variables returns what the reader can choose. Each variable depends on those before it. Grafana
// escapes the values for regular expressions.
func variables(uid string) []cog.Builder[dashboard.VariableModel] {
	// The exporter's own metrics may have another job than the sessions.
	known := func(matchers ...string) string {
		if uid != exporterUID {
			return selector(collector.SessionValid, matchers...)
		}
		either := fmt.Sprintf(`__name__=~"%s|%s"`, collector.SessionValid, collector.BuildInfo)
		return selector("", append([]string{either}, matchers...)...)
	}
	return []cog.Builder[dashboard.VariableModel]{
		dashboard.NewDatasourceVariableBuilder("datasource").
			Label("Data source").
			Description("The Prometheus that scrapes the exporter.").
			Type("prometheus"),
		choice("job", "Job", "The scrape job in Prometheus.", known()),
		choice("instance", "Instance", "The exporter, or with a scrape for each HMP the name of the HMP.",
			known(`job=~"$job"`)),
		choice("target", "HMP", "The HMP, by its name in the exporter's configuration.",
			selector(collector.SessionValid, chosenExporters)),
		choice("session", "Session", "The session, by its name in the exporter's configuration.",
			selector(collector.SessionValid, chosenExporters, `target=~"$target"`)),
	}
}

// choice returns a variable with multiple values. At first all are chosen.
func choice(label, title, description, series string) *dashboard.QueryVariableBuilder {
	query := fmt.Sprintf("label_values(%s, %s)", series, label)
	all := dashboard.VariableOption{
		Selected: new(true),
		Text:     dashboard.StringOrArrayOfString{ArrayOfString: []string{"All"}},
		Value:    dashboard.StringOrArrayOfString{ArrayOfString: []string{"$__all"}},
	}
	return dashboard.NewQueryVariableBuilder(label).
		Label(title).
		Description(description).
		Datasource(source).
		Query(dashboard.StringOrMap{String: &query}).
		Definition(query).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortNaturalAsc).
		Multi(true).
		IncludeAll(true).
		AllValue(".+").
		Current(all)
}
