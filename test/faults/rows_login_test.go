package faults

import (
	"net/http"
	"strings"

	"hmp_exporter/internal/hmp"
)

// loginRows have a session with an API key whose login is good, and then a fault at
// the question that follows it; and what a login alone can be told.
func loginRows() []row {
	both := func(w want) want { w.Connections = 2; return w }
	keyed := func(name string, sc script, w want) row {
		return row{name: name, script: sc, want: w, only: withKey}
	}
	refusal := func(status int, code hmp.Code, message string) script {
		return says(response(status, envelope(string(code), message)))
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
		keyed("403 that stalls in the body", saysAnd(head(403, "Content-Length: 10"), (*peer).hold), answered(hmp.Timeout, 403).lasts()),
		keyed("201 with a session", byMethod(says(response(201, session())), good()), both(valid().messages(goodMessages))),
		keyed("no authToken", ok(`{"data":{"admin":true}}`), answered(hmp.BadPayload, 200)),
		keyed("an authToken that is no string", ok(session("authToken", "17")), answered(hmp.BadPayload, 200)),
		keyed("an empty authToken", ok(session("authToken", `""`)), answered(hmp.BadPayload, 200)),
		keyed("an authToken with a line break", ok(session("authToken", `"CANARY\r\nX-Evil: 1"`)), answered(hmp.BadPayload, 200)),
		keyed("an authToken of 10 kB", ok(session("authToken", `"`+strings.Repeat("x", 10_000)+`"`)), answered(hmp.BadPayload, 200)),

		keyed("login, then a reset", then(does((*peer).reset)), both(failed(hmp.Protocol, 2))),
		keyed("login, then a stall", then(does((*peer).hold)), lastsAfterLogin),
		keyed("login, then a stall in the body", then(saysAnd(head(200)+`{"data":`, (*peer).hold)), both(answered(hmp.Timeout, 200).lasts())),
		keyed("login, then 307", then(page(307, "", "Location: /")), both(answered(hmp.Redirect, 307))),
		keyed("login, then 502", then(page(502, "<html></html>")), both(answered(hmp.HTTPError, 502))),
		keyed("login, then HTML", then(page(200, "<html></html>")), both(answered(hmp.BadPayload, 200))),
		keyed("login, then 503 with 090002", then(refusal(503, hmp.ServiceUnavailable, "No connection")), both(answered(hmp.AuthUnavailable, 503).code(hmp.ServiceUnavailable))),
		keyed("login, then 404 with HTML", then(page(404, "<html></html>")), both(answered(hmp.EndpointMissing, 404))),
		keyed("login, then endless headers", then(endlessHeaders()), both(failed(hmp.Protocol, 2))),
	}
}

// lastsAfterLogin is what is wanted of a stall after a login: HMP has answered the
// probe, and that is what the status is of.
var lastsAfterLogin = want{Result: hmp.Timeout, Status: 200, Lasts: true, Connections: 2}

// then answers a login as a healthy HMP does, and leaves the rest to a script.
func then(sc script) script { return byMethod(good(), sc) }

// byMethod is one script for a connection with a login, and another for other ones.
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
