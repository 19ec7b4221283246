package collector

import (
	"slices"

	"time"

	dto "github.com/prometheus/client_model/go"

	"hmp_exporter/internal/hmp"
)

// The names of all metrics. Dashboards, rules and tests use these constants.
const (
	BuildInfo             = "hmp_exporter_build_info"
	CoalescedProbes       = "hmp_exporter_coalesced_probes_total"
	ConfigReloadTime      = "hmp_exporter_config_last_reload_success_timestamp_seconds"
	ConfigReloadOK        = "hmp_exporter_config_last_reload_successful"
	ExporterProbeDuration = "hmp_exporter_probe_duration_seconds"
	Info                  = "hmp_info"
	ProbePanics           = "hmp_exporter_probe_panics_total"
	ProbesInFlight        = "hmp_exporter_probes_in_flight"
	ScrapesRefused        = "hmp_exporter_scrapes_refused_total"
	SessionAdmin          = "hmp_session_admin"
	SessionError          = "hmp_session_error"
	SessionHTTPStatus     = "hmp_session_http_status_code"
	SessionLastAction     = "hmp_session_last_action_timestamp_seconds"
	SessionLastLogin      = "hmp_session_last_login_timestamp_seconds"
	SessionLoginFailures  = "hmp_session_login_failures"
	SessionLoginSuspended = "hmp_session_login_suspended"
	SessionLogins         = "hmp_session_logins_total"
	SessionProbeDuration  = "hmp_session_probe_duration_seconds"
	SessionProbePhase     = "hmp_session_probe_phase_duration_seconds"
	SessionProbeResult    = "hmp_session_probe_result"
	SessionProbeTimeout   = "hmp_session_probe_timeout_seconds"
	SessionRoles          = "hmp_session_roles"
	SessionMessageInfo    = "hmp_session_service_message_info"
	SessionMessages       = "hmp_session_service_messages"
	SessionTokenExpiry    = "hmp_session_token_expiry_timestamp_seconds"
	SessionRotations      = "hmp_session_token_rotations_total"
	SessionValid          = "hmp_session_valid"
	TLSCertificateExpiry  = "hmp_tls_certificate_expiry_timestamp_seconds"
	Up                    = "hmp_up"
)

// A Metric is one exported metric.
type Metric struct {
	Name   string
	Type   dto.MetricType
	Labels []string
	Help   string

	// samples adds the samples of one result. It is nil for a metric about the exporter.
	samples func(w sampleWriter, r *Result)
}

const (
	counter   = dto.MetricType_COUNTER
	gauge     = dto.MetricType_GAUGE
	histogram = dto.MetricType_HISTOGRAM

	// informational ends the help of a metric from a field that the vendor calls
	// "informational only and subject to change in future HMP releases".
	informational = " The vendor may change the field behind this metric."
)

// perSession returns the labels of a metric about a session. Extra labels come first.
func perSession(extra ...string) []string { return append(extra, "session", "target") }

// Metrics lists every metric of this program once, sorted by name.
var Metrics = []Metric{
	{BuildInfo, gauge, []string{"branch", "goarch", "goos", "goversion", "revision", "tags", "version"}, "Always 1: the labels show how this program was built.", nil},
	{CoalescedProbes, counter, nil, "Probes that a scrape did not start, because one was under way.", nil},
	{ConfigReloadTime, gauge, nil, "Unix time of the last successful load of the configuration.", nil},
	{ConfigReloadOK, gauge, nil, "Whether the last attempt to load the configuration succeeded.", nil},
	{ExporterProbeDuration, histogram, nil, "How long the probes of all sessions took.", nil},
	{ProbePanics, counter, nil, "Probes that a panic of this program ended.", nil},
	{ProbesInFlight, gauge, nil, "Probes under way.", nil},
	{ScrapesRefused, counter, []string{"path"}, "Scrapes refused with a 503, because as many as --web.max-requests were under way.", nil},
	{Info, gauge, []string{"build", "target", "version"}, "Always 1: the labels have the version and build that the HMP last reported.", func(w sampleWriter, r *Result) {
		if r.Version != nil {
			w.add(1, &r.Version.labels)
		}
	}},
	{SessionAdmin, gauge, perSession(), "Whether the user of the session is an administrator." + informational, func(w sampleWriter, r *Result) {
		if admin := r.Details.Admin; admin != nil {
			w.add(boolToFloat(*admin), nil)
		}
	}},
	{SessionError, gauge, perSession("code", "name"), "1 for the error code that HMP answered with, 0 for the others.", func(w sampleWriter, r *Result) {
		code := r.Code.Catalogued()
		for i := range codeLabels {
			w.add(boolToFloat(codeLabels[i].code == code), &codeLabels[i].labels)
		}
	}},
	{SessionHTTPStatus, gauge, perSession(), "The HTTP status of the answer, 0 if there was none.", func(w sampleWriter, r *Result) {
		w.add(float64(r.StatusCode), nil)
	}},
	{SessionLastAction, gauge, perSession(), "Unix time of the user's last action." + informational, func(w sampleWriter, r *Result) {
		addTime(w, r.Details.LastAction)
	}},
	{SessionLastLogin, gauge, perSession(), "Unix time of the user's last login." + informational, func(w sampleWriter, r *Result) {
		addTime(w, r.Details.LastLogin)
	}},
	{SessionLoginFailures, gauge, perSession(), "Failed logins that HMP counts for the user." + informational, func(w sampleWriter, r *Result) {
		if failures := r.Details.LoginFailures; failures != nil {
			w.add(*failures, nil)
		}
	}},
	{SessionLoginSuspended, gauge, perSession(), "Whether logins of the API key are suspended: HMP refused it, found no role, or ended tokens early.", func(w sampleWriter, r *Result) {
		if r.Logins != nil {
			w.add(boolToFloat(r.Logins.Suspended), nil)
		}
	}},
	{SessionLogins, counter, perSession("result"), "Logins with the API key, by result.", func(w sampleWriter, r *Result) {
		if r.Logins != nil {
			for i, name := range loginResults {
				w.add(float64(r.Logins.Counts[name]), &loginLabels[i])
			}
		}
	}},
	{SessionProbeDuration, gauge, perSession(), "How long the probe took.", func(w sampleWriter, r *Result) {
		w.add(r.Duration.Seconds(), nil)
	}},
	{SessionProbePhase, gauge, perSession("phase"), "How long each phase of the probe took, 0 if it did not occur.", func(w sampleWriter, r *Result) {
		for i, p := range r.Phases.Each() {
			w.add(p.Took.Seconds(), &phaseLabels[i])
		}
	}},
	{SessionProbeResult, gauge, perSession("result"), "1 for the result of the probe, 0 for the other results.", func(w sampleWriter, r *Result) {
		for i, info := range hmp.Results {
			w.add(boolToFloat(info.Result == r.Result), &resultLabels[i])
		}
	}},
	{SessionProbeTimeout, gauge, perSession(), "How much time the probe had.", func(w sampleWriter, r *Result) {
		w.add(r.Timeout.Seconds(), nil)
	}},
	{SessionRoles, gauge, perSession(), "How many roles the user has." + informational, func(w sampleWriter, r *Result) {
		if roles := r.Details.Roles; roles != nil {
			w.add(float64(*roles), nil)
		}
	}},
	{SessionMessageInfo, gauge, perSession("message"), "1 for each service message, with service_message_text." + informational, func(w sampleWriter, r *Result) {
		for _, m := range r.Details.MessageTexts {
			extra := newLabels("message", m)
			w.add(1, &extra)
		}
	}},
	{SessionMessages, gauge, perSession(), "How many service messages the user has." + informational, func(w sampleWriter, r *Result) {
		if n := r.Details.ServiceMessages; n != nil {
			w.add(float64(*n), nil)
		}
	}},
	{SessionTokenExpiry, gauge, perSession(), "Unix time when the API key's token ends.", func(w sampleWriter, r *Result) {
		if r.Logins != nil {
			addTime(w, r.Logins.TokenExpiry)
		}
	}},
	{SessionRotations, counter, perSession(), "Answers that carried another token than the request.", func(w sampleWriter, r *Result) {
		w.add(float64(r.Rotations), nil)
	}},
	{SessionValid, gauge, perSession(), "Whether the probe confirmed the session.", func(w sampleWriter, r *Result) {
		w.add(boolToFloat(r.Valid()), nil)
	}},
	{TLSCertificateExpiry, gauge, []string{"target"}, "Unix time of the earliest expiry in the HMP's verified certificate chain.", func(w sampleWriter, r *Result) {
		addTime(w, r.CertificateExpiry)
	}},
	{Up, gauge, perSession(), "Whether the HMP answered the probe, valid or not.", func(w sampleWriter, r *Result) {
		if up, known := r.Up(); known {
			w.add(up, nil)
		}
	}},
}

// addTime adds a sample unless the time is zero.
func addTime(w sampleWriter, t time.Time) {
	if !t.IsZero() {
		w.add(seconds(t), nil)
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

func boolToFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// MetricNamed returns the metric with a name, which must be one of the constants.
func MetricNamed(name string) Metric {
	return Metrics[slices.IndexFunc(Metrics, func(m Metric) bool { return m.Name == name })]
}

// loginResults are the possible results of a login.
var loginResults = []hmp.Result{
	hmp.Valid, hmp.NoRoles, hmp.InternalError, hmp.AuthUnavailable, hmp.EndpointMissing, hmp.Redirect, hmp.HTTPError,
	hmp.BadPayload, hmp.Timeout, hmp.DNS, hmp.Connect, hmp.TLS, hmp.Protocol, hmp.LoginRejected, hmp.Saturated,
}

// LoginResult returns the name of a login's result as users see it.
func LoginResult(name hmp.Result) string {
	if name == hmp.Valid {
		return "success"
	}
	return string(name)
}

// The labels of state sets, made once.
var (
	phases       = hmp.Phases{}.Each()
	loginLabels  = labelsFor("result", loginResults, LoginResult)
	phaseLabels  = labelsFor("phase", phases[:], func(p hmp.Phase) string { return p.Name })
	resultLabels = labelsFor("result", hmp.Results, func(info hmp.ResultInfo) string { return string(info.Result) })
	codeLabels   = func() (list []codeLabel) {
		for _, e := range hmp.Catalogue {
			list = append(list, codeLabel{e.Code, newLabels("code", string(e.Code), "name", e.Name)})
		}
		return list
	}()
)

type codeLabel struct {
	code   hmp.Code
	labels labels
}
