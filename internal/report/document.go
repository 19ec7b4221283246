package report

import (
	"encoding/json"
	"io"
	"time"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// The JSON document. docs/probe.schema.json describes the fields. A pointer is null if the
// value is not known.
type (
	document struct {
		Started         *time.Time        `json:"started"`
		DurationSeconds float64           `json:"duration_seconds"`
		Stopped         *string           `json:"stopped"`
		Summary         summaryDocument   `json:"summary"`
		Sessions        []sessionDocument `json:"sessions"`
	}

	summaryDocument struct {
		Sessions  int `json:"sessions"`
		Valid     int `json:"valid"`
		NotValid  int `json:"not_valid"`
		NotProbed int `json:"not_probed"`
	}

	sessionDocument struct {
		Target            string             `json:"target"`
		Session           string             `json:"session"`
		Valid             bool               `json:"valid"`
		Result            *hmp.Result        `json:"result"`
		Meaning           string             `json:"meaning"`
		Advice            string             `json:"advice"`
		Reason            string             `json:"reason"`
		Up                *bool              `json:"up"`
		Started           *time.Time         `json:"started"`
		DurationSeconds   float64            `json:"duration_seconds"`
		TimeoutSeconds    float64            `json:"timeout_seconds"`
		PhasesSeconds     map[string]float64 `json:"phases_seconds"`
		HTTPStatus        *int               `json:"http_status"`
		Error             *errorDocument     `json:"error"`
		CertificateExpiry *time.Time         `json:"certificate_expiry"`
		HMP               *versionDocument   `json:"hmp"`
		Login             *loginDocument     `json:"login"`
		ServiceMessages   *messagesDocument  `json:"service_messages"`
		User              *userDocument      `json:"user"`
	}

	errorDocument struct {
		Code hmp.Code `json:"code"`
		Name string   `json:"name"`
	}

	versionDocument struct {
		Version string `json:"version"`
		Build   string `json:"build"`
	}

	loginDocument struct {
		Result      *string    `json:"result"`
		Suspended   bool       `json:"suspended"`
		TokenExpiry *time.Time `json:"token_expiry"`
	}

	messagesDocument struct {
		Count int      `json:"count"`
		Texts []string `json:"texts"`
	}

	userDocument struct {
		Admin         *bool      `json:"admin"`
		Roles         *int       `json:"roles"`
		LoginFailures *float64   `json:"login_failures"`
		LastAction    *time.Time `json:"last_action"`
		LastLogin     *time.Time `json:"last_login"`
	}
)

// WriteLast writes the last results of sessions as JSON.
func WriteLast(w io.Writer, results []collector.Result) error {
	r := Report{Results: results}
	var end time.Time
	for i := range results {
		result := &results[i]
		if result.ResultName() == "" {
			continue
		}
		if r.Start.IsZero() || result.Start.Before(r.Start) {
			r.Start = result.Start
		}
		if ended := result.Start.Add(result.Duration); ended.After(end) {
			end = ended
		}
	}
	r.Duration = max(0, end.Sub(r.Start))
	return r.WriteJSON(w)
}

// WriteJSON writes the report as one JSON document.
func (r *Report) WriteJSON(w io.Writer) error {
	valid, notProbed := r.count()
	d := document{
		Started:         timestamp(r.Start),
		DurationSeconds: r.Duration.Seconds(),
		Summary:         summaryDocument{len(r.Results), valid, len(r.Results) - valid - notProbed, notProbed},
		Sessions:        []sessionDocument{}, // not null
	}
	if r.Interrupted {
		d.Stopped = new("interrupted")
	}
	for i := range r.Results {
		d.Sessions = append(d.Sessions, newSessionDocument(&r.Results[i]))
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(d)
}

func newSessionDocument(r *collector.Result) sessionDocument {
	var explanation Explanation // stays empty if there is no result yet
	if name := r.ResultName(); name != "" {
		explanation = Explain(name)
	}
	d := sessionDocument{
		Target:            r.Target,
		Session:           r.Session,
		Valid:             r.Valid(),
		Result:            orNull(r.Result),
		Meaning:           explanation.Meaning,
		Advice:            explanation.Advice,
		Reason:            r.Reason,
		Started:           timestamp(r.Start),
		DurationSeconds:   r.Duration.Seconds(),
		TimeoutSeconds:    r.Timeout.Seconds(),
		PhasesSeconds:     make(map[string]float64),
		HTTPStatus:        orNull(r.StatusCode),
		CertificateExpiry: timestamp(r.CertificateExpiry),
	}
	if up, known := r.Up(); known {
		d.Up = new(up == 1)
	}
	for _, phase := range r.Phases.Each() {
		d.PhasesSeconds[phase.Name] = phase.Took.Seconds()
	}
	if r.Code != "" {
		d.Error = &errorDocument{r.Code, r.Code.Info().Name}
	}
	if v := r.Version; v != nil {
		d.HMP = &versionDocument{v.Version.Version, v.Build}
	}
	if l := r.Logins; l != nil {
		d.Login = &loginDocument{orNull(collector.LoginResult(l.InProbe)), l.Suspended, timestamp(l.TokenExpiry)}
	}
	if r.Valid() {
		details := &r.Details
		d.User = &userDocument{details.Admin, details.Roles, details.LoginFailures, timestamp(details.LastAction), timestamp(details.LastLogin)}
		if details.ServiceMessages != nil {
			d.ServiceMessages = &messagesDocument{*details.ServiceMessages, details.MessageTexts}
		}
	}
	return d
}

// orNull returns nil for a zero value.
func orNull[T comparable](value T) *T {
	if value == *new(T) {
		return nil
	}
	return &value
}

// timestamp returns nil for a time that RFC 3339 cannot express. An HMP can send the year
// 10000.
func timestamp(t time.Time) *time.Time {
	t = t.UTC().Truncate(time.Millisecond)
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return nil
	}
	return &t
}
