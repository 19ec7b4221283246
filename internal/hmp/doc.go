// Package hmp is a client of the Haivision Media Platform (HMP). It asks whether a token
// still has a session, opens a session with an API key, and asks for the version.
//
//	GET  {base}/apis/authentication/login/key   Authorization: Bearer <authToken>
//	POST {base}/apis/authentication/login/key   {"apiKey":"…","apiSecret":"…"}
//	GET  {base}/apis/system/version             Authorization: Bearer <authToken>
//
// HMP answers the first two with 200 and the session, or with an error envelope:
//
//	{"code":"020001","name":"UserNotAuthorized","message":"User has no roles assigned","httpStatusCode":401}
//
// A session has an authToken, the Bearer of later calls. Each login leaves a session on HMP
// that the client cannot end, and refused logins can lock the account. So this package never
// repeats a login. The caller decides when to log in.
//
// Every call of a [Client] returns one [Answer] with one [Result] of a closed set. A refused
// connection and an endless body have a result too, so there is no error to handle.
//
// The vendor supports the status and data.authToken, and calls the rest of a session
// "informational only and subject to change". So a strange value of any other field removes
// one detail and nothing else.
//
// The server is not trusted. Time, size, depth and number are bounded. The client follows
// no redirects, because they would send the token elsewhere. It masks the texts of a
// server in an [Answer], because a server can repeat a secret.
//
// A session can be megabytes long, with the service messages at its end. The package has its
// own JSON scanner, which keeps a few small values. Other scanners hold at least one whole
// JSON token, and one JSON token may be the whole body.
//
// A call goes through client.go, pool.go (connections) and attempt.go (timestamps). Then
// classify.go finds the result of a response, and attempt_error.go the result of an attempt
// without one.
//
// The vendor describes the endpoint for HMP 4.1.1 on the pages "Get User Session Info using
// Bearer Token" and "Initiate User Session using Key and Secret".
package hmp
