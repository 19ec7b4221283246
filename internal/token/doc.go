// Package token probes sessions that log in with an API key. It keeps their tokens from
// probe to probe, so that a probe rarely needs a login. Each login leaves a session on
// the HMP that a client cannot end. Refused logins can lock an account.
//
// A [Credential] is an HMP, a key and a secret. All sessions that use a credential share
// its token and its logins, whatever their target and configuration. The exporter logs in
// shortly before the configured lifetime of the token ends, and when HMP rejects the
// token. A probe makes at most one login, and none late in its time.
//
// HMP's documents leave two questions open. The package works with both answers.
//
//   - Does use extend a token? The exporter renews the token in time. If the renewal
//     fails, it uses the old token until HMP rejects it.
//   - Does a new token in an answer end the old one? The exporter uses the new token,
//     unless HMP does not accept it.
//
// At most one login of a key is under way. A probe without a token waits for this login
// while the probe has time. If the login fails, the probes that waited with the same secret
// send no login. They use a token whose lifetime is over, if there is one. Otherwise they end
// in the same result. There is one exception: if a login timed out after T, a probe with 2T
// left may log in at once.
//
// A failed login does not end a probe that has a token and a quarter of its time: the probe
// uses the token. If HMP then rejects the token, and the probe still has a quarter
// of its time, it ends in the result of the login.
//
// Three things delay logins:
//
//   - lockout.go: HMP refused the secret. The exporter tries the same secret again after
//     half an hour, or later if there were many refusals. If the user has no role, it tries
//     again after a minute.
//   - backoff.go: HMP neither accepted nor refused, for example because it is down. The
//     next login comes after 5 seconds, then 10, up to a minute, or half an hour if HMP asked
//     for it.
//   - rate_limit.go: HMP ends the tokens soon after their login. The exporter sends
//     three logins at once, and then one in each sixth of the lifetime.
//
// Meanwhile a probe without a token sends nothing. It repeats the result of the refused or
// failed login, or of the rejected token. An operator can ask for a login at once
// ([Manager.RetryLogin]).
//
// A probe begins in manager.go. probe.go has its steps, and credential.go what the probes of
// a credential share. The collector sends the requests with package hmp.
//
// Probes overlap, so an answer can be about a token that another one has replaced. The
// package compares tokens by identity. An answer about an old token changes nothing. If
// it is a rejection, the probe asks once more with the current token.
//
// The package starts no goroutine.
package token
