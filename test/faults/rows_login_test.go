package faults

import (
	"net/http"
	"strings"

	"hmp_exporter/internal/hmp"
)

// loginRows have answers that only a login gets, and faults of the GET after a login.
func loginRows() []row {
	twoConnections := func(w result) result { w.Connections = 2; return w }
	loginRow := func(name string, sc script, w result) row {
		return row{name: name, script: sc, want: w, only: withKey}
	}
	refusal := func(status int, code hmp.Code, message string) script {
		return answers(response(status, envelope(string(code), message)))
	}
	return []row{
		loginRow("wrong key or secret", refusal(401, hmp.InvalidCredentials, "Invalid credentials"), answered(hmp.LoginRejected, 401).code(hmp.InvalidCredentials)),
		loginRow("malformed key or secret", refusal(400, hmp.InputValidation, "apiKey"), answered(hmp.LoginRejected, 400).code(hmp.InputValidation)),
		loginRow("200 with the envelope of a refusal", refusal(200, hmp.InvalidCredentials, "Invalid credentials"), answered(hmp.LoginRejected, 200).code(hmp.InvalidCredentials)),
		loginRow("a user without roles", refusal(401, hmp.UserNotAuthorized, "User has no roles assigned"), answered(hmp.NoRoles, 401).code(hmp.UserNotAuthorized)),
		loginRow("403 with HMP's envelope", refusal(403, "030001", "Forbidden"), answered(hmp.LoginRejected, 403).code(hmp.OtherCode)),
		loginRow("404 with 040022", refusal(404, hmp.AuthSessionNotFound, "Unknown session"), answered(hmp.LoginRejected, 404).code(hmp.AuthSessionNotFound)),
		loginRow("401 of a gateway", page(401, "<html></html>"), answered(hmp.LoginRejected, 401)),
		loginRow("403 of a gateway", page(403, "<html></html>"), answered(hmp.HTTPError, 403)),
		loginRow("404 of a gateway", page(404, "<html></html>"), answered(hmp.EndpointMissing, 404)),
		loginRow("407 of a gateway", page(407, "<html></html>"), answered(hmp.HTTPError, 407)),
		loginRow("408 of a gateway", page(408, "<html></html>"), answered(hmp.HTTPError, 408)),
		loginRow("429 of a gateway, with Retry-After", page(429, "<html></html>", "Retry-After: 120"), answered(hmp.HTTPError, 429)),
		loginRow("403 that stalls in the body", answersThen(head(403, "Content-Length: 10"), (*peer).hang), answered(hmp.Timeout, 403).lasts()),
		loginRow("201 with a session", byMethod(answers(response(201, session())), good()), twoConnections(healthy())),
		loginRow("no authToken", ok(`{"data":{"admin":true}}`), answered(hmp.BadPayload, 200)),
		loginRow("an authToken that is not a string", ok(session("authToken", "17")), answered(hmp.BadPayload, 200)),
		loginRow("an empty authToken", ok(session("authToken", `""`)), answered(hmp.BadPayload, 200)),
		loginRow("an authToken with a line break", ok(session("authToken", `"CANARY\r\nX-Evil: 1"`)), answered(hmp.BadPayload, 200)),
		loginRow("an authToken of 10 kB", ok(session("authToken", `"`+strings.Repeat("x", 10_000)+`"`)), answered(hmp.BadPayload, 200)),

		loginRow("login, then a reset", afterLogin(onRequest((*peer).reset)), twoConnections(failed(hmp.Protocol, 2))),
		loginRow("login, then a stall", afterLogin(onRequest((*peer).hang)), lastsAfterLogin),
		loginRow("login, then a stall in the body", afterLogin(answersThen(head(200)+`{"data":`, (*peer).hang)), twoConnections(answered(hmp.Timeout, 200).lasts())),
		loginRow("login, then 307", afterLogin(page(307, "", "Location: /")), twoConnections(answered(hmp.Redirect, 307))),
		loginRow("login, then 502", afterLogin(page(502, "<html></html>")), twoConnections(answered(hmp.HTTPError, 502))),
		loginRow("login, then HTML", afterLogin(page(200, "<html></html>")), twoConnections(answered(hmp.BadPayload, 200))),
		loginRow("login, then 503 with 090002", afterLogin(refusal(503, hmp.ServiceUnavailable, "No connection")), twoConnections(answered(hmp.AuthUnavailable, 503).code(hmp.ServiceUnavailable))),
		loginRow("login, then 404 with HTML", afterLogin(page(404, "<html></html>")), twoConnections(answered(hmp.EndpointMissing, 404))),
		loginRow("login, then endless headers", afterLogin(endlessHeaders()), twoConnections(failed(hmp.Protocol, 2))),
	}
}

// lastsAfterLogin is the result of a stall after a login. The status is the one of the login.
var lastsAfterLogin = result{Name: hmp.Timeout, Status: 200, Lasts: true, Connections: 2}

// afterLogin returns a script that answers a login correctly and runs another script for a GET.
func afterLogin(sc script) script { return byMethod(good(), sc) }

// byMethod returns a script that depends on the first request of the connection.
func byMethod(login, other script) script {
	return func(p *peer) {
		method, _ := p.in.Peek(len(http.MethodPost))
		if string(method) == http.MethodPost {
			login(p)
			return
		}
		other(p)
	}
}
