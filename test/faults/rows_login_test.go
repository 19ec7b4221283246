package faults

import (
	"net/http"
	"strings"

	"hmp_exporter/internal/hmp"
)

// loginRows have answers that only a login gets, and faults of the GET after a login.
func loginRows() []row {
	both := func(w want) want { w.Connections = 2; return w }
	keyed := func(name string, sc script, w want) row {
		return row{name: name, script: sc, want: w, only: withKey}
	}
	refusal := func(status int, code hmp.Code, message string) script {
		return answers(response(status, envelope(string(code), message)))
	}
	return []row{
		keyed("wrong key or secret", refusal(401, hmp.InvalidCredentials, "Invalid credentials"), answered(hmp.LoginRejected, 401).code(hmp.InvalidCredentials)),
		keyed("malformed key or secret", refusal(400, hmp.InputValidation, "apiKey"), answered(hmp.LoginRejected, 400).code(hmp.InputValidation)),
		keyed("200 with the envelope of a refusal", refusal(200, hmp.InvalidCredentials, "Invalid credentials"), answered(hmp.LoginRejected, 200).code(hmp.InvalidCredentials)),
		keyed("a user without roles", refusal(401, hmp.UserNotAuthorized, "User has no roles assigned"), answered(hmp.NoRoles, 401).code(hmp.UserNotAuthorized)),
		keyed("403 with HMP's envelope", refusal(403, "030001", "Forbidden"), answered(hmp.LoginRejected, 403).code(hmp.OtherCode)),
		keyed("404 with 040022", refusal(404, hmp.AuthSessionNotFound, "Unknown session"), answered(hmp.LoginRejected, 404).code(hmp.AuthSessionNotFound)),
		keyed("401 of a gateway", page(401, "<html></html>"), answered(hmp.LoginRejected, 401)),
		keyed("403 of a gateway", page(403, "<html></html>"), answered(hmp.HTTPError, 403)),
		keyed("404 of a gateway", page(404, "<html></html>"), answered(hmp.EndpointMissing, 404)),
		keyed("407 of a gateway", page(407, "<html></html>"), answered(hmp.HTTPError, 407)),
		keyed("408 of a gateway", page(408, "<html></html>"), answered(hmp.HTTPError, 408)),
		keyed("429 of a gateway, with Retry-After", page(429, "<html></html>", "Retry-After: 120"), answered(hmp.HTTPError, 429)),
		keyed("403 that stalls in the body", answersThen(head(403, "Content-Length: 10"), (*peer).hang), answered(hmp.Timeout, 403).lasts()),
		keyed("201 with a session", byMethod(answers(response(201, session())), good()), both(healthy())),
		keyed("no authToken", ok(`{"data":{"admin":true}}`), answered(hmp.BadPayload, 200)),
		keyed("an authToken that is not a string", ok(session("authToken", "17")), answered(hmp.BadPayload, 200)),
		keyed("an empty authToken", ok(session("authToken", `""`)), answered(hmp.BadPayload, 200)),
		keyed("an authToken with a line break", ok(session("authToken", `"CANARY\r\nX-Evil: 1"`)), answered(hmp.BadPayload, 200)),
		keyed("an authToken of 10 kB", ok(session("authToken", `"`+strings.Repeat("x", 10_000)+`"`)), answered(hmp.BadPayload, 200)),

		keyed("login, then a reset", then(onRequest((*peer).reset)), both(failed(hmp.Protocol, 2))),
		keyed("login, then a stall", then(onRequest((*peer).hang)), lastsAfterLogin),
		keyed("login, then a stall in the body", then(answersThen(head(200)+`{"data":`, (*peer).hang)), both(answered(hmp.Timeout, 200).lasts())),
		keyed("login, then 307", then(page(307, "", "Location: /")), both(answered(hmp.Redirect, 307))),
		keyed("login, then 502", then(page(502, "<html></html>")), both(answered(hmp.HTTPError, 502))),
		keyed("login, then HTML", then(page(200, "<html></html>")), both(answered(hmp.BadPayload, 200))),
		keyed("login, then 503 with 090002", then(refusal(503, hmp.ServiceUnavailable, "No connection")), both(answered(hmp.AuthUnavailable, 503).code(hmp.ServiceUnavailable))),
		keyed("login, then 404 with HTML", then(page(404, "<html></html>")), both(answered(hmp.EndpointMissing, 404))),
		keyed("login, then endless headers", then(endlessHeaders()), both(failed(hmp.Protocol, 2))),
	}
}

// lastsAfterLogin is the result of a stall after a login. The status is the one of the login.
var lastsAfterLogin = want{Result: hmp.Timeout, Status: 200, Lasts: true, Connections: 2}

// then returns a script that answers a login correctly and runs another script for a GET.
func then(sc script) script { return byMethod(good(), sc) }

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
