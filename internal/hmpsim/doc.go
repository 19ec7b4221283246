// Package hmpsim is a simulated Haivision Media Platform (HMP): an
// [http.Handler] that speaks the session calls and the version call of HMP 4.1.1 to the letter
// of the vendor's pages, and that can be told to misbehave in every way a real
// one, or what stands before it, was ever seen to.
//
// The calls are
//
//	GET  /apis/authentication/login/key   who is the session of this Bearer token?
//	POST /apis/authentication/login/key   a new session for an API key and secret
//	GET  /apis/system/version             which version and build is this?
//
// A test or a demo makes a [Server], gives it tokens and keys, and serves it:
//
//	sim := hmpsim.New()
//	sim.SetToken("playout-token", hmpsim.Valid(hmpsim.ExampleSession()))
//	sim.SetToken("old-token", hmpsim.UnknownSession())
//	sim.AddKey("key", "secret", hmpsim.Valid(hmpsim.ExampleSession()))
//	hmp, err := sim.Start(hmpsim.ListenConfig{})
//	...
//	defer hmp.Close()
//	// GET hmp.URL + hmpsim.Endpoint
//
// # Behaviours
//
// What an authenticated request is answered is decided by the [Behaviour] of
// its token, and changing it is one more call of [Server.SetToken]. There are
//
//   - the documented answers: [Valid], [NoRoles], [Unauthorized],
//     [UnknownSession], [InternalError], [CreateUserSession], [AuthUnavailable];
//   - answers of something else: [EndpointMissing] (an HMP before 4.1, or a web
//     server), [Redirect], [BadGateway], and [Raw] for all others;
//   - a status 200 with a body that is no session: [BadPayloads];
//   - failures below HTTP: [Hang], [HangInBody], [Reset], [Malformed];
//   - modifiers of another behaviour: [Delay], [Drip], [Swell], [RetryAfter],
//     [PerMethod] and [Timeline], which changes with time;
//   - [Large], a valid session as big as an admin's on a large system.
//
// The version call has a behaviour of its own for each server ([WithVersion]): [Version],
// [VersionWithMore], one of [BadVersions], or any other.
//
// [Server.SetOutage] lays one behaviour over all tokens and keys, as when the
// directory behind the HMP is away.
//
// # Time
//
// The clock is a parameter ([WithClock]). A server runs nothing in the
// background: an answer is computed from the clock when its request comes, so a
// test can move twelve hours at once. Behaviours that wait use a timer and the
// request's context, so they end when the client goes, and work under
// testing/synctest together with [ListenPipe].
//
// # What is not documented
//
// Nobody knows what a real HMP answers to an expired token, whether use extends
// a token's life, or whether a GET hands out another token and the old one then
// still works. Each of these is an option ([WithUnauthenticated],
// [WithSliding], [WithRotation]), so that a client can be tried both ways.
//
// The demo ([StartDemo]) is a fleet of such servers with a story of its own. It
// does run something in the background until it is closed: somebody who
// regenerates a key, and later writes the new secret to the exporter's file.
package hmpsim
