package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// The uids are what links, alerts among them, lead to.
const (
	overviewUID = "hmp-overview"
	sessionUID  = "hmp-session"
	exporterUID = "hmp-exporter"
)

// source is the Prometheus that a reader chooses.
var source = common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}

// board is a dashboard with what all of them have, and no panels yet. It needs another refresh only if it is for a
// wall.
func board(uid, title, description, refresh string) *dashboard.DashboardBuilder {
	b := dashboard.NewDashboardBuilder(title).
		Uid(uid).
		Description(description).
		Tags([]string{"hmp"}).
		Readonly().
		Timezone("browser").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Time("now-3h", "now").
		Refresh(refresh).
		Annotation(firingAlerts())
	for _, v := range variables(uid) {
		b.WithVariable(v)
	}
	for _, l := range links(uid) {
		b.Link(l)
	}
	return b
}

// links lead to the other dashboards, with the time that is shown. The job and the instance of sessions need not be
// those of the exporter's own metrics, so they are kept between the dashboards about sessions only.
func links(from string) (list []*dashboard.DashboardLinkBuilder) {
	for _, to := range []struct{ uid, title, tooltip string }{
		{overviewUID, "HMP Overview", "All sessions at a glance"},
		{sessionUID, "HMP Session", "One session in depth"},
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

// sessionLink leads from a row of a table to the session that the row is about.
func sessionLink() map[string]any {
	return map[string]any{
		"title": "Open ${__data.fields.target} / ${__data.fields.session}",
		"url": "/d/" + sessionUID + "?${datasource:queryparam}" +
			"&var-target=${__data.fields.target:percentencode}&var-session=${__data.fields.session:percentencode}" +
			"&${__url_time_range}",
	}
}

// firingAlerts marks on every graph when alerts fire, once for each kind of alert however many sessions it is about.
func firingAlerts() *dashboard.AnnotationQueryBuilder {
	return dashboard.NewAnnotationQueryBuilder().
		Name("Alerts").
		Datasource(source).
		Enable(true).
		IconColor("red").
		Target(prometheus.NewDataqueryBuilder().
			Expr("max by (alertname, severity) (" + alerts(`alertstate="firing"`) + ")").
			Range().
			Interval(leastInterval).
			Datasource(source).
			RefId("Anno"))
}

// An eventTexts is an annotation with what Grafana's Prometheus source writes beside its marks, which the SDK does not
// know.
type eventTexts struct {
	dashboard.AnnotationQuery
	TitleFormat string `json:"titleFormat"`
	TextFormat  string `json:"textFormat"`
	TagKeys     string `json:"tagKeys"`
}

// withEventTexts returns a dashboard to be encoded, whose annotations have their texts.
func withEventTexts(d dashboard.Dashboard) any {
	type annotations struct {
		List []eventTexts `json:"list"`
	}
	texts := make([]eventTexts, 0, len(d.Annotations.List))
	for _, a := range d.Annotations.List {
		texts = append(texts, eventTexts{a, "{{alertname}}", "HMP Overview lists for whom.", "severity"})
	}
	return struct {
		dashboard.Dashboard
		Annotations annotations `json:"annotations"`
	}{d, annotations{texts}}
}
