package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
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
func board(uid, title, description string) *dashboard.DashboardBuilder {
	b := dashboard.NewDashboardBuilder(title).
		Uid(uid).
		Description(description).
		Tags([]string{"hmp"}).
		Readonly().
		Timezone("browser").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Time("now-3h", "now").
		Refresh("1m")
	for _, a := range annotations() {
		if a.name == "Alerts" || uid == sessionUID {
			b.Annotation(a.builder())
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
