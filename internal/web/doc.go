// Package web is the HTTP surface: which paths there are, what they answer, and
// how serving begins and ends.
//
//	/metrics             the exporter's own metrics and a fresh probe of every session
//	/probe               a fresh probe of one target, or of one session of it
//	/                    what is configured, and what scrapes last saw of it
//	/config              the running configuration, with every secret masked
//	/sd                  what there is to probe, for Prometheus' HTTP service discovery
//	/-/healthy /-/ready  for orchestrators
//	/-/reload            loads the configuration again
//
// It knows nothing of how a probe works; that is the collector's.
package web
