package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"hmp_exporter/collector"
)

// An annotation is marks on every graph, all with the same text.
type annotation struct{ name, color, title, text, expr string }

// annotations returns all annotations. Grafana draws consecutive samples as a region, and many
// regions hide the graph. So each query is one series that has samples only in the first step of an
// event.
func annotations() []annotation {
	firing := alerts(`alertstate="firing"`)
	info := "max by (target, version, build) (" + selector(collector.Info, chosenHMPs) + ")"
	infoBefore := "max by (target, version, build) (" + selector(collector.Info, chosenHMPs) + " offset $__interval)"
	return []annotation{
		{
			"Alerts", "red", "An alert began to fire", "HMP Overview lists the alerts.",
			"count(" + firing + " unless " + firing + " offset $__interval)",
		},
		{
			"HMP upgraded", "blue", "HMP upgraded", "The version or build of an HMP changed.",
			"count(" + info + " unless " + infoBefore + " and on (target) " + infoBefore + ")",
		},
	}
}

// builder returns the annotation for the SDK.
func (a annotation) builder() *dashboard.AnnotationQueryBuilder {
	return dashboard.NewAnnotationQueryBuilder().
		Name(a.name).
		Datasource(source).
		Enable(true).
		IconColor(a.color).
		Target(prometheus.NewDataqueryBuilder().
			Expr(a.expr).
			Range().
			Interval(minInterval).
			Datasource(source).
			RefId("Anno"))
}

// annotationTexts is an annotation with the texts of its marks. The SDK does not have these fields.
type annotationTexts struct {
	dashboard.AnnotationQuery
	TitleFormat string `json:"titleFormat"`
	TextFormat  string `json:"textFormat"`
}

// withAnnotationTexts adds the texts of annotations to a dashboard.
func withAnnotationTexts(d dashboard.Dashboard) any {
	type list struct {
		List []annotationTexts `json:"list"`
	}
	known := annotations()
	texts := make([]annotationTexts, 0, len(d.Annotations.List))
	for i, a := range d.Annotations.List {
		texts = append(texts, annotationTexts{a, known[i].title, known[i].text})
	}
	return struct {
		dashboard.Dashboard
		Annotations list `json:"annotations"`
	}{d, list{texts}}
}
