// Package hmp speaks to a Haivision Media Platform (HMP) about one thing:
// whether a service token still opens a session, and where to get another. Beside it,
// it asks an HMP for its version.
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
// A service that has an API key instead of a token opens a session with
//
//	POST {base}/apis/authentication/login/key
//	{"apiKey":"…","apiSecret":"…"}
//
// and is answered with the same object. Its authToken is the Bearer of later GETs,
// and these may hand out another one. A login is precious: each leaves a session
// behind on HMP that the client cannot end, and refused ones can lock the account.
// When to log in is the caller's to decide, sparingly; no login is repeated here.
//
// To a session that it has confirmed, HMP also answers
//
//	GET {base}/apis/system/version
//
// with {"data":{"version":"4.1.1","build":"30242"}}.
//
// A [Client] makes the calls for one HMP and turns whatever comes back, a
// refused connection and a body without end included, into one [Answer]: a
// plain value whose [Result] is one of a closed set of words. There is no
// error to handle: a call that went wrong is an answer like any other.
//
// The vendor supports the status and data.authToken and calls the rest of the
// body "informational only and subject to change". So the status line and the
// presence of a data object decide, and for a login that of a token; a strange value
// of any other field takes away one detail and nothing else.
//
// An administrator's session can be megabytes long, with the service messages at its
// end. A scanner walks over it, checks its grammar and keeps a handful of small values.
// The package has a JSON scanner of its own, because the usual ones, encoding/json/jsontext
// included, hold at least one whole token, and one token may be the whole body.
//
// The server is not trusted. Time, size, depth and number are bounded, and
// redirects are not followed, because they would carry the token away. What an [Answer]
// shows of a server's words is masked, because a server can repeat a secret.
//
// An exchange goes from client.go over transport.go (connections) and trace.go (what is
// observed of an attempt) to classify.go (results of answers) or failure.go (results
// without an answer).
//
// The facts about the endpoint are those of the vendor pages "Get User Session
// Info using Bearer Token" and "Initiate User Session using Key and Secret" for
// HMP 4.1.1.
package hmp
