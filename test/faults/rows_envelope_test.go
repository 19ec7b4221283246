package faults

import (
	"strings"

	"hmp_exporter/internal/hmp"
)

func envelopeRows() []row {
	const noRoles = "User has no roles assigned"
	e := func(status int, code hmp.Code, message string) script {
		return answers(response(status, envelope(string(code), message)))
	}
	raw := func(status int, body string) script { return answers(response(status, body)) }
	return []row{
		{name: "401, 020001, no roles", script: e(401, hmp.UserNotAuthorized, noRoles), want: answered(hmp.NoRoles, 401).code(hmp.UserNotAuthorized)},
		{name: "401, 020001, another message", script: e(401, hmp.UserNotAuthorized, "User is not authorized"), want: answered(hmp.Unauthorized, 401).code(hmp.UserNotAuthorized)},
		{name: "404, 040022", script: e(404, hmp.AuthSessionNotFound, "Unknown session"), want: answered(hmp.Unauthorized, 404).code(hmp.AuthSessionNotFound)},
		{name: "500, 070000", script: e(500, hmp.InternalServer, "oops"), want: answered(hmp.InternalError, 500).code(hmp.InternalServer)},
		{name: "500, 070051", script: e(500, hmp.CreateUserSession, "oops"), want: answered(hmp.InternalError, 500).code(hmp.CreateUserSession)},
		{name: "503, 090002", script: e(503, hmp.ServiceUnavailable, "No connection to authentication server"), want: answered(hmp.AuthUnavailable, 503).code(hmp.ServiceUnavailable)},

		{name: "403, 030001", script: e(403, "030001", "oops"), want: answered(hmp.Unauthorized, 403).code(hmp.OtherCode)},
		{name: "401, no roles in other words", script: e(401, hmp.UserNotAuthorized, "user has No Role assigned."), want: answered(hmp.NoRoles, 401).code(hmp.UserNotAuthorized)},
		{name: "401, a numeric code", script: raw(401, `{"code":20001,"message":"User has no roles assigned"}`), want: answered(hmp.Unauthorized, 401)},
		{name: "500, a numeric code", script: raw(500, `{"code":70000,"httpStatusCode":500}`), want: answered(hmp.HTTPError, 500)},
		{name: "503, no code", script: raw(503, `{"name":"ServiceUnavailable"}`), want: answered(hmp.HTTPError, 503)},
		{name: "401, no message", script: raw(401, `{"code":"020001"}`), want: answered(hmp.Unauthorized, 401).code(hmp.UserNotAuthorized)},
		{name: "401, the message is null", script: raw(401, `{"code":"020001","message":null}`), want: answered(hmp.Unauthorized, 401).code(hmp.UserNotAuthorized)},
		{name: "401, the message is a list", script: raw(401, `{"code":"020001","message":["User has no roles assigned"]}`), want: answered(hmp.Unauthorized, 401).code(hmp.UserNotAuthorized)},
		{name: "401, only a code and message", script: raw(401, `{"message":"User has no roles assigned","code":"020001"}`), want: answered(hmp.NoRoles, 401).code(hmp.UserNotAuthorized)},
		{name: "401, an empty object", script: raw(401, `{}`), want: answered(hmp.Unauthorized, 401)},
		{name: "401, an empty body", script: raw(401, ``), want: answered(hmp.Unauthorized, 401)},
		{name: "500, null", script: raw(500, `null`), want: answered(hmp.HTTPError, 500)},
		{name: "503, an incomplete envelope", script: raw(503, `{"code":"090002"`), want: answered(hmp.AuthUnavailable, 503).code(hmp.ServiceUnavailable)},
		{name: "503, an incomplete code", script: raw(503, `{"code":"0900`), want: answered(hmp.HTTPError, 503)},
		{name: "500 with a stack of 100 kB after the code", script: raw(500, `{"code":"070000","stack":"`+strings.Repeat("at x\\n", 20_000)+`"}`), want: answered(hmp.InternalError, 500).code(hmp.InternalServer)},
		{name: "404, httpStatusCode is a string", script: raw(404, `{"code":"040022","httpStatusCode":"404"}`), want: answered(hmp.Unauthorized, 404).code(hmp.AuthSessionNotFound)},

		{name: "500, an unknown code that begins like 070000", script: e(500, "070099", "oops"), want: answered(hmp.InternalError, 500).code(hmp.OtherCode)},
		{name: "401, an unknown code", script: e(401, "999999", noRoles), want: answered(hmp.Unauthorized, 401).code(hmp.OtherCode)},
		{name: "401, a code that is a word", script: e(401, `E_\"AUTH\n`, noRoles), want: answered(hmp.Unauthorized, 401).code(hmp.OtherCode)},
		{name: "401, a code that repeats a secret", script: e(401, token, token), want: answered(hmp.Unauthorized, 401).code(hmp.OtherCode)},
		{name: "401, a code of 60 kB", script: e(401, hmp.Code(strings.Repeat("0", 60_000)), "oops"), want: answered(hmp.Unauthorized, 401)},
		{name: "403, 040006", script: e(403, "040006", "oops"), want: answered(hmp.Unauthorized, 403).code(hmp.OtherCode)},

		{name: "200 with an error's envelope", script: e(200, hmp.UserNotAuthorized, noRoles), want: answered(hmp.BadPayload, 200).code(hmp.UserNotAuthorized)},
		{name: "200 with a session and a code", script: raw(200, `{"code":"070000",`+session()[1:]), want: healthy()},
		{name: "401 with the code of a 503", script: e(401, hmp.ServiceUnavailable, "No connection"), want: answered(hmp.Unauthorized, 401).code(hmp.ServiceUnavailable)},
		{name: "503 with the code of a 401", script: e(503, hmp.UserNotAuthorized, noRoles), want: answered(hmp.HTTPError, 503).code(hmp.UserNotAuthorized)},
		{name: "500 with the code of a 503", script: e(500, hmp.ServiceUnavailable, "oops"), want: answered(hmp.HTTPError, 500).code(hmp.ServiceUnavailable)},
		{name: "404 with the code of a 401", script: e(404, hmp.UserNotAuthorized, noRoles), want: answered(hmp.EndpointMissing, 404).code(hmp.UserNotAuthorized)},
		{name: "403 with the code of a 503", script: e(403, hmp.ServiceUnavailable, "oops"), want: answered(hmp.Unauthorized, 403).code(hmp.ServiceUnavailable)},
		{name: "302 with an error code", script: answers(response(302, envelope("090002", ""), "Location: /")), want: answered(hmp.Redirect, 302)},
	}
}
