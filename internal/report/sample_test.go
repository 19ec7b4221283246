package report

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hmp_exporter/collector"
	"hmp_exporter/internal/hmp"
	"hmp_exporter/internal/token"
)

var update = flag.Bool("update", false, "write the golden files")

var began = time.Date(2026, 5, 4, 3, 2, 1, 234_567_890, time.UTC)

var studioVersion = collector.NewVersion(hmp.Version{Version: "4.1.1", Build: "30242\u202e"})

// answers returns an answer for every result.
func answers() []hmp.Answer {
	answer := func(result hmp.Result, status int, code hmp.Code) hmp.Answer {
		return hmp.Answer{
			Result: result, Responded: status != 0, StatusCode: status, Code: code,
			Phases:            hmp.Phases{Connect: 2 * time.Millisecond, TLS: 8 * time.Millisecond, Processing: 16 * time.Millisecond},
			CertificateExpiry: began.AddDate(1, 0, 0),
		}
	}
	because := func(a hmp.Answer, reason string) hmp.Answer {
		a.Reason = reason
		return a
	}
	valid := answer(hmp.Valid, 200, "")
	valid.Details = hmp.Details{
		Admin: new(true), Roles: new(2), LoginFailures: new(3.0), LastAction: began.Add(-time.Minute), LastLogin: began.Add(-time.Hour),
		ServiceMessages: new(2), MessageTexts: []string{"Storage is almost full (92 %)", "Grüße, 日本語"},
	}
	return []hmp.Answer{
		valid,
		answer(hmp.NoRoles, 401, hmp.UserNotAuthorized),
		answer(hmp.Unauthorized, 404, hmp.AuthSessionNotFound),
		answer(hmp.InternalError, 500, "070099"), // a code that no catalogue has
		answer(hmp.AuthUnavailable, 503, hmp.ServiceUnavailable),
		answer(hmp.EndpointMissing, 404, ""),
		answer(hmp.Redirect, 302, ""),
		answer(hmp.HTTPError, 403, hmp.OtherCode),
		because(answer(hmp.BadPayload, 200, ""), "the body is not a JSON object"),
		{Result: hmp.Timeout, Phases: hmp.Phases{Connect: 2 * time.Millisecond, Processing: 9998 * time.Millisecond}},
		because(hmp.Answer{Result: hmp.DNS}, "lookup hmp.example: no such host"),
		because(hmp.Answer{Result: hmp.Connect}, "connection refused"),
		because(hmp.Answer{Result: hmp.TLS, CertificateExpiry: began.AddDate(0, 0, -1)}, "x509: certificate has expired"),
		because(hmp.Answer{Result: hmp.Protocol}, "\x1b]0;owned\x07\x1b[2Jconnection reset\u202e\r\nby peer\u009b31m\xff\u200b\ufeff\U000e0001"), // hostile
		because(answer(hmp.LoginRejected, 401, hmp.InvalidCredentials), "the exporter tries this secret again at 03:34:05 UTC. For an earlier login, change the secret."),
		because(hmp.Answer{Result: hmp.Credentials}, "token_file secrets/playout.token: no such file or directory"),
		{Result: hmp.Saturated},
	}
}

// sample returns a report with every result, a panic, and sessions that were not probed.
func sample() *Report {
	var results []collector.Result
	for i, a := range answers() {
		result := collector.Result{
			Target: "studio", Session: string(a.Result), Answer: a,
			Version: studioVersion,
			Start:   began, Duration: time.Duration(i) * 100 * time.Millisecond, Timeout: 10 * time.Second,
		}
		switch a.Result {
		case hmp.LoginRejected:
			result.Logins = &collector.Logins{Status: token.Status{Suspended: true}, InProbe: hmp.LoginRejected}
		case hmp.NoRoles:
			result.Logins = &collector.Logins{Status: token.Status{TokenExpiry: began.Add(30 * time.Minute)}, InProbe: hmp.Valid}
		}
		results = append(results, result)
	}
	skipped := results[14]
	skipped.Target, skipped.Session, skipped.Skipped, skipped.StatusCode = "lab", "skipped", true, 0
	results = append(results, skipped)
	lab := func(session string, a hmp.Answer) collector.Result {
		return collector.Result{Target: "lab", Session: session, Answer: a, Start: began, Timeout: 10 * time.Second}
	}
	crashed := lab("crashed", hmp.Answer{Reason: "index out of range"})
	crashed.Panicked = true
	results = append(results,
		lab("alike", hmp.Answer{Result: hmp.Connect, Reason: "no route to host"}),
		lab("odd", hmp.Answer{Result: hmp.Valid, Responded: true, StatusCode: 200, Details: hmp.Details{
			LastAction: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), ServiceMessages: new(1),
		}}),
		crashed,
		collector.Result{Target: "lab", Session: "waiting"}, collector.Result{Target: "lab", Session: "hung"},
	)
	return &Report{Results: results, Start: began, Duration: 10*time.Second + 2*time.Millisecond, Interrupted: true}
}

// golden compares a text with a file in testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run the test with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
