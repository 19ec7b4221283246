// Package config turns a YAML file, or a few environment variables, into one validated and
// immutable [Config]. A target is one Haivision Media Platform: a base URL and how to talk
// to it. A session is one login on that target: a token, or an API key and secret with
// which the exporter logs in for a token. The file reference.yml has every field.
//
// [Load] reads the file (files.go), makes a tree of YAML nodes (syntax.go), fills the
// raw structs of load.go from it (decode.go), checks what the fields mean (validate.go,
// transport.go), and makes the [Target] and [Session] values that the exporter works
// with. Nothing downstream checks a configuration again.
//
// No step stops at the first problem: each adds an [Error] with file, line, field, what
// is wrong and what to do. None of them quotes a value, because a value in the wrong
// place may well be a secret.
//
// A [SecretSource] says where a secret comes from. One in a file is read anew for
// every probe, so that a rotated token needs no reload. What is read prints as <secret>,
// also in [Config.YAML].
//
// A [Store] holds the configuration in force and replaces it as a whole.
package config
