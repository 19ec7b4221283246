package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hmp_exporter/collector"
	"hmp_exporter/internal/exportertest"
	"hmp_exporter/internal/hmp"
)

// TestPage compares the tables of docs/fault-matrix.md with the rows.
func TestPage(t *testing.T) {
	made := make(map[string]string)
	for _, s := range sections {
		made["faults: "+s.name] = s.table(t)
	}
	exportertest.CheckTables(t, "../../docs/fault-matrix.md", *update, made)
}

// table returns the table of the section. Rows that differ only in the status may share a line.
// It has the results with a fixed token, or of a login.
func (s section) table(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| fault | result | `hmp_up` | status | what else is exported | alert |\n| --- | --- | --- | --- | --- | --- |\n")
	for i, r := range s.rows {
		first := slices.IndexFunc(s.rows, func(o row) bool { return o.title() == r.title() })
		if first == i {
			fmt.Fprintf(&b, "| %s | %s |\n", r.title(), s.cells(t, r))
		}
	}
	return b.String()
}

// title returns the fault in the words of the page.
func (r *row) title() string {
	if r.line != "" {
		return r.line
	}
	return r.name
}

// cells returns the cells of a row and of all rows with the same title.
func (s section) cells(t *testing.T, r row) string {
	t.Helper()
	var statuses []string
	for _, other := range s.rows {
		if other.title() != r.title() {
			continue
		}
		statuses = append(statuses, fmt.Sprint(other.want.Status))
		other.want.Status = r.want.Status
		if other.want != r.want {
			t.Errorf("%q and %q share a line, but differ", r.name, other.name)
		}
	}
	alert, ok := alerts[r.want.Name]
	if !ok {
		alert = "`HMPSessionInvalid`"
	}
	return strings.Join([]string{
		"`" + string(r.want.Name) + "`", r.want.up(), strings.Join(statuses, ", "), r.want.rest(), alert,
	}, " | ")
}

// rest returns what else the exporter exports.
func (w result) rest() string {
	var list []string
	if w.Lasts {
		list = append(list, "lasts until the deadline")
	}
	if w.Code != "" {
		list = append(list, fmt.Sprintf("%#q of %s", collector.SessionError, w.Code))
	}
	if w.Name == hmp.Valid {
		messages := "no `" + collector.SessionMessages + "`"
		if w.Messages != "" {
			messages = fmt.Sprintf("%#q %s", collector.SessionMessages, w.Messages)
		}
		list = append(list, messages)
	}
	if w.Certificate {
		list = append(list, "the certificate's expiry")
	}
	return strings.Join(list, ", ")
}

// alerts has the alerts of results. All other results have HMPSessionInvalid.
var alerts = map[hmp.Result]string{
	hmp.Valid:           "none",
	hmp.DNS:             "`HMPUnreachable`",
	hmp.Connect:         "`HMPUnreachable`",
	hmp.TLS:             "`HMPUnreachable`",
	hmp.Protocol:        "`HMPUnreachable`",
	hmp.Timeout:         "`HMPUnreachable`",
	hmp.AuthUnavailable: "`HMPAuthServiceUnavailable`",
	hmp.InternalError:   "`HMPInternalError`",
	hmp.Unauthorized:    "`HMPSessionUnauthorized`",
	hmp.NoRoles:         "`HMPSessionNoRoles`",
	hmp.LoginRejected:   "`HMPSessionLoginRejected`",
	hmp.EndpointMissing: "`HMPEndpointMissing`",
}
