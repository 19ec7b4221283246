package report

import (
	"encoding/json"
	"io"
	"time"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
)

// The document of --output=json: see docs/probe.schema.json, which says what its fields
// mean. Pointers are null where there is nothing to say.
type (
	document struct {
		Started         *time.Time       `json:"started"`
		DurationSeconds float64          `json:"duration_seconds"`
		Stopped         *string          `json:"stopped"`
		Summary         documentSummary  `json:"summary"`
		Sessions        []documentResult `json:"sessions"`
	}

	documentSummary struct {
		Sessions  int `json:"sessions"`
		Valid     int `json:"valid"`
		NotValid  int `json:"not_valid"`
		NotProbed int `json:"not_probed"`
	}

	documentResult struct {
		Target            string            `json:"target"`
		Session           string            `json:"session"`
		Valid             bool              `json:"valid"`
		Result            *hmp.Result       `json:"result"`
		Meaning           string            `json:"meaning"`
		Advice            string            `json:"advice"`
		Reason            string            `json:"reason"`
		Up                *bool             `json:"up"`
		Started           *time.Time        `json:"started"`
		DurationSeconds   float64           `json:"duration_seconds"`
		TimeoutSeconds    float64           `json:"timeout_seconds"`
		PhasesSeconds     documentPhases    `json:"phases_seconds"`
		HTTPStatus        *int              `json:"http_status"`
		Error             *documentError    `json:"error"`
		CertificateExpiry *time.Time        `json:"certificate_expiry"`
		HMP               *documentHMP      `json:"hmp"`
		Login             *documentLogin    `json:"login"`
		ServiceMessages   *documentMessages `json:"service_messages"`
		User              *documentUser     `json:"user"`
	}

	documentPhases struct {
		Resolve    float64 `json:"resolve"`
		Connect    float64 `json:"connect"`
		TLS        float64 `json:"tls"`
		Processing float64 `json:"processing"`
		Transfer   float64 `json:"transfer"`
	}

	documentError struct {
		Code hmp.Code `json:"code"`
		Name string   `json:"name"`
	}

	documentHMP struct {
		Version string `json:"version"`
		Build   string `json:"build"`
	}

	documentLogin struct {
		Result      *string    `json:"result"`
		Suspended   bool       `json:"suspended"`
		TokenExpiry *time.Time `json:"token_expiry"`
	}

	documentMessages struct {
		Count int      `json:"count"`
		Texts []string `json:"texts"`
	}

	documentUser struct {
		Admin         *bool      `json:"admin"`
		Roles         *int       `json:"roles"`
		LoginFailures *float64   `json:"login_failures"`
		LastAction    *time.Time `json:"last_action"`
		LastLogin     *time.Time `json:"last_login"`
	}
)

// WriteLast writes the last results of sessions as a document of --output=json. A result that
// has only the names is a session that was not probed.
func WriteLast(w io.Writer, results []collector.Result) error {
	r := Report{Attempts: attempts(results)}
	var end time.Time
	for _, a := range r.Attempts {
		if a.Result == nil {
			continue
		}
		if r.Start.IsZero() || a.Result.Start.Before(r.Start) {
			r.Start = a.Result.Start
		}
		if ended := a.Result.Start.Add(a.Result.Duration); ended.After(end) {
			end = ended
		}
	}
	r.Duration = max(0, end.Sub(r.Start))
	return writeJSON(w, &r)
}

// writeJSON writes a report as one document.
func writeJSON(w io.Writer, r *Report) error {
	probed, valid := r.count()
	d := document{
		Started:         moment(r.Start),
		DurationSeconds: r.Duration.Seconds(),
		Summary:         documentSummary{len(r.Attempts), valid, probed - valid, len(r.Attempts) - probed},
		Sessions:        []documentResult{}, // not null
	}
	if r.Interrupted {
		d.Stopped = new("interrupted")
	}
	for i := range r.Attempts {
		d.Sessions = append(d.Sessions, r.Attempts[i].document())
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(d)
}

// document returns what there is to say about a session.
func (a *Attempt) document() documentResult {
	if a.Result == nil {
		return documentResult{Target: a.Target, Session: a.Session}
	}
	r := a.Result
	d := documentResult{
		Target:            r.Target,
		Session:           r.Session,
		Valid:             r.Valid(),
		Result:            outcome(r.Result),
		Meaning:           r.Result.Info().Meaning,
		Advice:            r.Result.Info().Advice,
		Reason:            r.Reason,
		Started:           moment(r.Start),
		DurationSeconds:   r.Duration.Seconds(),
		TimeoutSeconds:    r.Timeout.Seconds(),
		PhasesSeconds:     phases(r.Phases),
		CertificateExpiry: moment(r.CertificateExpiry),
		HMP:               software(r.Version),
		Login:             login(r.Logins),
	}
	if up, known := r.Up(); known {
		d.Up = new(up == 1)
	}
	if r.StatusCode != 0 {
		d.HTTPStatus = &r.StatusCode
	}
	if r.Code != "" {
		d.Error = &documentError{r.Code, r.Code.Info().Name}
	}
	if r.Valid() {
		d.ServiceMessages, d.User = messages(&r.Details), user(&r.Details)
	}
	return d
}

func phases(p hmp.Phases) documentPhases {
	return documentPhases{p.Resolve.Seconds(), p.Connect.Seconds(), p.TLS.Seconds(), p.Processing.Seconds(), p.Transfer.Seconds()}
}

func software(v *collector.Version) *documentHMP {
	if v == nil {
		return nil
	}
	return &documentHMP{v.Version.Version, v.Build}
}

func login(l *collector.Logins) *documentLogin {
	if l == nil {
		return nil
	}
	d := &documentLogin{Suspended: l.Suspended, TokenExpiry: moment(l.TokenExpiry)}
	if l.Last != "" {
		d.Result = new(collector.LoginResult(l.Last))
	}
	return d
}

func messages(d *hmp.Details) *documentMessages {
	if d.ServiceMessages == nil {
		return nil
	}
	return &documentMessages{*d.ServiceMessages, d.MessageTexts}
}

func user(d *hmp.Details) *documentUser {
	return &documentUser{d.Admin, d.Roles, d.LoginFailures, moment(d.LastAction), moment(d.LastLogin)}
}

func outcome(o hmp.Result) *hmp.Result {
	if o == "" {
		return nil
	}
	return &o
}

// moment returns a time as the document has it, nil for one that RFC 3339 cannot write:
// the far side can say year 10000.
func moment(t time.Time) *time.Time {
	t = t.UTC().Truncate(time.Millisecond)
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return nil
	}
	return &t
}
