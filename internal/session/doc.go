// Package session knows where the token of a session comes from: from a secret
// that somebody else renews ([Fixed]), or from logins with an API key ([Login]).
//
// HMP's tokens live for half an hour, and a login is not free: each one leaves a
// session behind that a client cannot end, and refused ones can lock an account
// out. So a [Login] keeps its token from probe to probe and logs in as seldom as it
// can:
//
//   - shortly before the token ends, by the lifetime that is configured;
//   - when HMP rejects the token, at most once for each probe, and not too late in it;
//   - never while logins are held back.
//
// What HMP does not document is met with both possibilities in mind. Use may
// extend a token or not: it is renewed in time, but one that could not be renewed
// is tried beyond its time before it is given up. An answer may carry another
// token, after which the old one may live on or not: the new one is used from then
// on, unless HMP turns out not to accept it.
//
// # Holding logins back
//
// A refused login is not tried again as it is: the key, the secret or something in
// HMP has to change first. Logins with a wrong key or secret pause for two minutes,
// then four, up to thirty, and there are no more than five of them in an hour; those
// of a user without roles pause for half a minute up to five. Such a hold is on the
// credential: it lasts through reloads, it is shared by the sessions that use the
// same one, and it ends early when the key or the secret changes.
//
// A login that HMP did not decide on (it is down, or its directory is) says nothing
// about the credential. It pauses for seconds, and for minutes if it may have made a
// session; the token at hand stays in use.
//
// # Late answers
//
// Probes overlap when a configuration is replaced, so an answer can be about a
// token that has had a successor since. Tokens are compared by identity, and an
// answer about any but the current one changes nothing.
package session
