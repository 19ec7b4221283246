package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// links returns the links from one dashboard to the others, with the time range. Sessions and the exporter's
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
