// Package token probes sessions that log in with an API key. It keeps their
// tokens from probe to probe, so that a probe rarely needs a login.
//
// A login is not free. Each one leaves a session on the HMP that a client cannot
// end, and refused logins can lock an account. So the exporter logs in
//
//   - shortly before the token ends, by the lifetime that is configured;
//   - when HMP rejects the token, at most once for each probe, and not too late in it;
//   - never while logins are held back.
//
// HMP's documents leave two questions open, and both answers work. Use may extend
// a token or not: the exporter renews it in time, and if it cannot, it uses the token
// until HMP rejects it. An answer may carry another token, after which the old one may
// live on or not: the exporter uses the new one, unless HMP turns out not to accept it.
//
// # Sharing
//
// A [Credential] is an HMP, a key and a secret. All sessions that use it share its
// token and its logins, in whatever target and configuration they stand. At most one
// login of a key is under way. A probe that needs a login waits for the one under way,
// for as long as the probe has time. If that login fails, the probes that waited end
// in the same result, and none of them sends a login of its own. There is one
// exception: if the login ran out of time, a probe that has twice as much time may
// make the next one.
//
// # A token that HMP accepts is used
//
// A login that fails does not end a probe that has a token. The probe goes on with
// the token, and its result is that of the token. If HMP rejects the token, the
// result is that of the login.
//
// # What holds logins back
//
//   - HMP refused the secret (lockout.go). The same secret is tried again after half
//     an hour, and five logins of a key may be refused in an hour. The login of a user
//     without roles is tried again after a minute.
//   - HMP did not decide (backoff.go): it is down, or its directory is, or a gateway
//     answered. The next login comes after 5 seconds, then 10, up to a minute.
//   - HMP ends the tokens soon after their login (pace.go). Three logins come at once,
//     and then one in each sixth of the lifetime.
//
// While logins are held back, a probe without a token sends nothing. Its result is
// the one that holds the logins back, and its reason says when the next login comes. An
// operator can have the login tried at once ([Manager.RetryLogin]).
//
// # Late answers
//
// Probes overlap, so an answer can be about a token that has been replaced since.
// Tokens are compared by identity. An answer about any but the current one changes
// nothing; if it is a rejection, the probe asks once more with the current one.
//
// The package starts no goroutine.
package token
