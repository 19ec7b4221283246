// Package token probes sessions that log in with an API key. It keeps their
// tokens from probe to probe, so that a probe rarely needs a login: each login leaves
// a session on the HMP that a client cannot end, and refused ones can lock an account.
//
// A [Credential] is an HMP, a key and a secret. All sessions that use it share its
// token and its logins, in whatever target and configuration they stand. The exporter
// logs in shortly before the token ends, by the lifetime that is configured, and when
// HMP rejects the token. A probe makes at most one login, and not too late in its time.
//
// HMP's documents leave two questions open, and both answers work. Use may extend
// a token or not: the exporter renews it in time, and if it cannot, it uses the token
// until HMP rejects it. An answer may carry another token, after which the old one may
// live on or not: the exporter uses the new one, unless HMP turns out not to accept it.
//
// At most one login of a key is under way. A probe that has no token waits for it, for as
// long as the probe has time. If that login fails, the probes that waited end in the
// same result and send no login of their own. There is one exception: if the login ran
// out of time, a probe that has twice as much time left may make the next one.
//
// A token that HMP accepts is used. A login that fails does not end a probe that has a
// token: the probe goes on with it. If HMP rejects the token, the result is that of
// the login.
//
// Three things hold logins back, each in its own file:
//
//   - lockout.go: HMP refused the secret. The same one is tried again after half an hour.
//   - backoff.go: HMP did not decide, for example because it is down. The next login
//     comes after 5 seconds, then 10, up to a minute.
//   - pace.go: HMP ends the tokens soon after their login. Three logins come at once, and
//     then one in each sixth of the lifetime.
//
// Meanwhile a probe without a token sends nothing. Its result is the one that holds the
// logins back, and its reason says what happens next. An operator can have the login tried at
// once ([Manager.RetryLogin]).
//
// Probes overlap, so an answer can be about a token that has been replaced since.
// Tokens are compared by identity. An answer about any but the current one changes
// nothing; if it is a rejection, the probe asks once more with the current one.
//
// The package starts no goroutine.
package token
