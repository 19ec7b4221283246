// Package config turns a YAML file, or a few environment variables, into one validated and
// immutable [Config]. A target is one Haivision Media Platform: a base URL and its
// connection settings. A session is a token, or an API key and secret with which the
// exporter logs in. The file reference.yml has every field.
//
// [Load] works in steps. It reads the file (files.go), parses YAML nodes (syntax.go), and
// fills the raw structs of load.go (decode.go). Then it validates the fields (validate.go,
// transport.go) and makes [Target] and [Session] values. No other package validates a
// configuration again.
//
// No step stops at the first problem. Each problem is an [Error] with file, line, field,
// what is wrong and what to do. An error never quotes a value, because a value in the wrong
// field may be a secret.
//
// A [SecretSource] says where a secret comes from. Every probe reads secret files again, so
// a rotated token needs no reload. Secrets print as <secret>, also in [Config.YAML].
//
// A [Store] holds the current configuration and replaces it as a whole.
package config
