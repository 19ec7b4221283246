package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"hmp_exporter/collector"
)

// The uids are parts of links, also in alerts.
const (
	overviewUID = "hmp-overview"
	sessionUID  = "hmp-session"
	exporterUID = "hmp-exporter"
)

// source is the data source that the reader chose.
var source = common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}

// board returns a dashboard without panels.
func board(uid, title, description, refresh string) *dashboard.DashboardBuilder {
	b := dashboard.NewDashboardBuilder(title).
		Uid(uid).
		Description(description).
		Tags([]string{"hmp"}).
		Readonly().
		Timezone("browser").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Time("now-3h", "now").
		Refresh(refresh)
	for _, e := range events() {
		if e.name == "Alerts" || uid == sessionUID {
			b.Annotation(e.annotation())
		}
	}
	for _, v := range variables(uid) {
		b.WithVariable(v)
	}
	for _, l := range links(uid) {
		b.Link(l)
	}
	return b
}

// links returns links to the other dashboards, with the time range. Sessions and the exporter's
// own metrics may have different jobs and instances. So only links between dashboards about
// sessions include these.
func links(from string) (list []*dashboard.DashboardLinkBuilder) {
	for _, to := range []struct{ uid, title, tooltip string }{
		{overviewUID, "HMP Overview", "All sessions"},
		{sessionUID, "HMP Session", "One session in detail"},
		{exporterUID, "HMP Exporter", "The exporter itself"},
	} {
		if to.uid == from {
			continue
		}
		link := dashboard.NewDashboardLinkBuilder(to.title).
			Type(dashboard.DashboardLinkTypeLink).
			Icon("dashboard").
			Tooltip(to.tooltip).
			KeepTime(true)
		url := "/d/" + to.uid
		if from == exporterUID || to.uid == exporterUID {
			link.Url(url + "?${datasource:queryparam}&${target:queryparam}&${session:queryparam}")
		} else {
			link.Url(url).IncludeVars(true)
		}
		list = append(list, link)
	}
	return list
}

// hmpLink returns the link of a table row to the sessions of its HMP.
func hmpLink() map[string]any {
	return map[string]any{
		"title": "Open ${__data.fields.target}",
		"url": "/d/" + sessionUID + "?${datasource:queryparam}" +
			"&var-target=${__data.fields.target:percentencode}&${__url_time_range}",
	}
}

// sessionLink returns the link of a table row to its session.
func sessionLink() map[string]any {
	return map[string]any{
		"title": "Open ${__data.fields.target} / ${__data.fields.session}",
		"url": "/d/" + sessionUID + "?${datasource:queryparam}" +
			"&var-target=${__data.fields.target:percentencode}&var-session=${__data.fields.session:percentencode}" +
			"&${__url_time_range}",
	}
}

// An event is an annotation: marks on every graph, all with the same text.
type event struct{ name, color, title, text, expr string }

// events returns the annotations. Grafana draws consecutive samples as a region, and many regions
// hide the graph. So an event is one series with a sample only in its first step.
func events() []event {
	firing := alerts(`alertstate="firing"`)
	info := "max by (target, version, build) (" + selector(collector.Info, ofHMPs) + ")"
	infoBefore := "max by (target, version, build) (" + selector(collector.Info, ofHMPs) + " offset $__interval)"
	return []event{
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

func (e event) annotation() *dashboard.AnnotationQueryBuilder {
	return dashboard.NewAnnotationQueryBuilder().
		Name(e.name).
		Datasource(source).
		Enable(true).
		IconColor(e.color).
		Target(prometheus.NewDataqueryBuilder().
			Expr(e.expr).
			Range().
			Interval(minInterval).
			Datasource(source).
			RefId("Anno"))
}

// An eventTexts is an annotation with the texts of its marks. The SDK does not have these fields.
type eventTexts struct {
	dashboard.AnnotationQuery
	TitleFormat string `json:"titleFormat"`
	TextFormat  string `json:"textFormat"`
}

// withEventTexts adds the texts of annotations to a dashboard.
func withEventTexts(d dashboard.Dashboard) any {
	type annotations struct {
		List []eventTexts `json:"list"`
	}
	known := events()
	texts := make([]eventTexts, 0, len(d.Annotations.List))
	for i, a := range d.Annotations.List {
		texts = append(texts, eventTexts{a, known[i].title, known[i].text})
	}
	return struct {
		dashboard.Dashboard
		Annotations annotations `json:"annotations"`
	}{d, annotations{texts}}
}
