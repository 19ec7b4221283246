// Package hmp is a client of the Haivision Media Platform (HMP). It asks whether a token
// still has a session, opens a session with an API key, and asks for the version.
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
// HMP answers it with the same object. Its authToken is the Bearer of later GETs, and their
// answers may have a new one. Each login leaves a session on HMP that the client cannot end.
// Refused logins can lock the account. The caller decides when to log in, and should do so
// rarely. This package never repeats a login.
//
// With the token of a valid session, HMP also answers
//
//	GET {base}/apis/system/version
//
// with {"data":{"version":"4.1.1","build":"30242"}}.
//
// A [Client] makes the calls for one HMP. Every call returns one [Answer]: a plain value
// with one [Result] of a closed set. A refused connection and an endless body have a result
// too, so there is no error to handle.
//
// The vendor supports the status and data.authToken, and calls the rest of the body
// "informational only and subject to change". So only the status line and the presence of
// a data object decide, and after a login the presence of a token. A strange value of any
// other field removes one detail and nothing else.
//
// An administrator's session can be megabytes long, with the service messages at its end.
// The package has its own JSON scanner, which keeps a few small values. Other scanners,
// encoding/json/jsontext included, hold at least one whole token. One token may be the
// whole body.
//
// The server is not trusted. Time, size, depth and number are bounded. The client follows
// no redirects, because they would send the token elsewhere. It masks the texts of a
// server in an [Answer], because a server can repeat a secret.
//
// An exchange goes through client.go, transport.go (connections) and trace.go (timestamps
// of an attempt). Then classify.go finds the result of a response, and failure.go the
// result of an attempt without one.
//
// The vendor describes the endpoint for HMP 4.1.1 on the pages "Get User Session Info using
// Bearer Token" and "Initiate User Session using Key and Secret".
package hmp
