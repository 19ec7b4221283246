// Package web is the HTTP surface: which paths there are, what they answer, and
// how serving begins and ends.
//
//	/metrics             the exporter's own metrics and a fresh probe of every session
//	/probe               a fresh probe of one target, or of one session of it
//	/                    every session, and what scrapes saw of it of late
//	/session             all that is kept of one session; a POST probes it now
//	/retry-login         a POST tries the login of a session, although logins are suspended
//	/config              the running configuration, with every secret masked
//	/sd                  what there is to probe, for Prometheus' HTTP service discovery
//	/-/healthy /-/ready  for orchestrators
//	/-/reload            loads the configuration again
//
// It knows nothing of how a probe works; that is the collector's.
package web
