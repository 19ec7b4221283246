// Package hmp speaks to a Haivision Media Platform (HMP) about one thing:
// whether a service token still opens a session.
//
// HMP answers
//
//	GET {base}/apis/authentication/login/key
//	Authorization: Bearer <authToken>
//
// with 200 and the user's session, or with an error envelope:
//
//	{"code":"020001","name":"UserNotAuthorized","message":"User has no roles assigned","httpStatusCode":401}
//
// A [Client] makes that call for one HMP and turns whatever comes back, a
// refused connection and a body without end included, into one [Answer]: a
// plain value whose [Outcome] is one of a closed set of words. There is no
// error to handle: a call that went wrong is an answer like any other.
//
// The vendor supports the status and data.authToken and calls the rest of the
// body "informational only and subject to change". So the status line and the
// presence of a data object decide; every other field only adds a detail, and a
// strange value of one takes away that detail and nothing else.
//
// An administrator's session carries maps of permissions that can be megabytes
// long, with the service messages behind them. The body is therefore never held:
// a scanner walks over it, checks its grammar and keeps a handful of small
// values, in memory that does not grow with the body. That is why this package
// has a JSON scanner of its own: the ones to be had, encoding/json/jsontext
// included, hold at least one whole token, and one token may be the whole body.
//
// The far side is not trusted. Time, size, depth and number are bounded,
// redirects are not followed (they would carry the token away), and no text that
// the far side wrote gets into a [Answer.Reason], because it could repeat the token.
//
// The facts about the endpoint are those of the vendor page "Get User Session
// Info using Bearer Token" for HMP 4.1.1.
package hmp
