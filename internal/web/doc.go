// Package web answers HTTP requests. It does not know how a probe works.
//
//	/metrics             metrics of the exporter, and a fresh probe of every session
//	/probe               a fresh probe of a target or a session
//	/                    the status page: every session with its last results
//	/session             the page of a session; a POST probes the session
//	/probe-all           a POST probes every session
//	/retry-login         a POST tries the login of a session although logins are suspended
//	/runbook             the runbook
//	/sessions.json       the last results as JSON
//	/config              the configuration in use, with every secret masked
//	/sd                  HTTP service discovery for Prometheus
//	/-/healthy /-/ready  health
//	/-/reload            a POST reloads the configuration
//
// [New] returns the handler of all paths, and [Serve] runs it. The file scrape.go has the way of a
// scrape from its path to the answer: limit, probe, metrics, compression.
package web
