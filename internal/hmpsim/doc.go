// Package hmpsim simulates a Haivision Media Platform (HMP). A [Server] is an
// [http.Handler] that answers as the vendor's pages for HMP 4.1.1 say, or that fails in a
// way that a test or the demo chooses:
//
//	GET  /apis/authentication/login/key   who is the session of this Bearer token?
//	POST /apis/authentication/login/key   a new session for an API key and secret
//	GET  /apis/system/version             which version and build is this?
//
// A test makes a server, gives it tokens and keys, and serves it:
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
// The [Behaviour] of a token or key answers its requests. [Server.SetOutage] sets one
// behaviour for all of them. A [Config] sets what the vendor's pages do not say.
//
// A server runs nothing in the background. It computes an answer from its clock when the
// request comes, so a test can set the clock twelve hours ahead. A behaviour that waits uses
// a timer and the request's context, so it works in a testing/synctest bubble with
// [ListenPipe].
package hmpsim
