package collector

import (
	"time"

	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/token"
)

// Some moments of the sample results.
var (
	probed  = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	expires = time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
)

// sampleResults has a result for every result, as a probe could have made it.
func sampleResults() map[hmp.Result]Result {
	dialled := hmp.Phases{Resolve: 4 * time.Millisecond, Connect: 2 * time.Millisecond, TLS: 8 * time.Millisecond}
	answered := dialled
	answered.Processing, answered.Transfer = 16*time.Millisecond, time.Millisecond
	ranOut := dialled
	ranOut.Processing = 9486 * time.Millisecond

	answer := func(o hmp.Result, status int, code hmp.Code) hmp.Answer {
		return hmp.Answer{Result: o, Responded: true, StatusCode: status, Code: code, Phases: answered, CertificateExpiry: expires}
	}
	admin, roles, failures, messages := true, 1, 3.0, 2
	good := answer(hmp.Valid, 200, "")
	good.Details = hmp.Details{
		Admin: &admin, Roles: &roles, LoginFailures: &failures, ServiceMessages: &messages,
		LastAction: probed.Add(-time.Minute + 99*time.Millisecond), LastLogin: probed.Add(-time.Hour),
	}
	answers := []hmp.Answer{
		good,
		answer(hmp.NoRoles, 401, hmp.UserNotAuthorized),
		answer(hmp.Unauthorized, 401, hmp.UserNotAuthorized),
		answer(hmp.InternalError, 500, hmp.InternalServer),
		answer(hmp.AuthUnavailable, 503, hmp.ServiceUnavailable),
		answer(hmp.EndpointMissing, 404, ""),
		answer(hmp.Redirect, 302, ""),
		answer(hmp.HTTPError, 502, ""),
		answer(hmp.BadPayload, 200, ""),
		{Result: hmp.Timeout, Phases: ranOut, CertificateExpiry: expires},
		{Result: hmp.DNS, Phases: hmp.Phases{Resolve: 4 * time.Millisecond}},
		{Result: hmp.Connect, Phases: hmp.Phases{Resolve: 4 * time.Millisecond, Connect: time.Millisecond}},
		{Result: hmp.TLS, Phases: dialled, CertificateExpiry: probed.Add(-24 * time.Hour)},
		{Result: hmp.Protocol, Phases: dialled, CertificateExpiry: expires},
		answer(hmp.LoginRejected, 401, hmp.InvalidCredentials),
		{Result: hmp.Credentials, Reason: "token_file secrets/playout.token: no such file or directory"},
		{Result: hmp.Saturated},
	}
	results := make(map[hmp.Result]Result)
	for _, a := range answers {
		p := a.Phases
		results[a.Result] = Result{
			Target: "studio", Session: "playout", Answer: a,
			Start: probed, Duration: p.Resolve + p.Connect + p.TLS + p.Processing + p.Transfer, Timeout: 9500 * time.Millisecond,
			Rotations: 7,
		}
	}
	rejected := results[hmp.LoginRejected]
	rejected.Logins = &Logins{
		Status: token.Status{Suspended: true},
		Counts: map[hmp.Result]int{hmp.Valid: 48, hmp.LoginRejected: 1},
	}
	results[hmp.LoginRejected] = rejected
	return results
}

// manyResults are those of several sessions on two targets, with all that is
// awkward about service messages, certificates and versions.
func manyResults() []Result {
	sample := sampleResults()
	first, second, third, fourth := sample[hmp.Valid], sample[hmp.Valid], sample[hmp.Unauthorized], sample[hmp.Connect]

	first.Version = NewVersion(hmp.Version{Version: `4.1 "beta"`, Build: `30\242`})
	second.Version = first.Version
	messages := 4
	first.Details.ServiceMessages = &messages
	first.Details.MessageTexts = []string{
		`Password "change" required`, "one line\nand another", `back\slash`, "Grüße, 日本語, 👋 and a no-break\u00a0space",
	}
	second.Session, second.Details = "archive", hmp.Details{LoginFailures: new(float64)} // all else unknown
	second.CertificateExpiry = expires.Add(-30 * 24 * time.Hour)                         // that of another node behind one address
	third.Target, third.Code, third.StatusCode = "lab", hmp.OtherCode, 401
	third.CertificateExpiry = time.Time{} // plain HTTP
	fourth.Target, fourth.Session = "lab", "archive"
	fourth.Logins = &Logins{Status: token.Status{TokenExpiry: probed.Add(27 * time.Minute)}} // and no login yet
	return []Result{first, second, third, fourth}
}
