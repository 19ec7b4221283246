// Package config turns a YAML file, or a few environment variables, into one
// validated and immutable [Config].
//
// # What a configuration says
//
// A target is one Haivision Media Platform: a base URL and how to talk to it. A
// session is one login on that target which is worth watching: a token, or the
// API key and secret with which the exporter logs in for a token.
//
//	targets:
//	  - name: studio
//	    url: https://hmp.studio.example
//	    sessions:
//	      - name: playout
//	        token_file: secrets/playout.token
//
// The file reference.yml in this directory shows every field with its default
// and its unit. A test loads it and fails when a field is missing from it.
//
// # From a file to a Config
//
// [Load] reads the file (files.go), makes a tree of YAML nodes (syntax.go), fills the
// raw structs of load.go from it (decode.go), checks what the fields mean (validate.go,
// transport.go), and makes the [Target] and [Session] values that the rest of the
// exporter works with. Nothing downstream checks a configuration again.
//
// A person who edits a file wants to hear of all mistakes at once. No step stops at the
// first problem: each adds an [Error] with file, line, field, what is wrong and, where
// it can be guessed, what to do. Load returns them together as [Errors]. Beside names
// and paths none of them quotes a value, because a value in the wrong place may well be
// a secret.
//
// # Secrets
//
// A [SecretSource] says where a secret comes from. One in a file is read anew for
// every probe, so that a rotated token needs no reload. A file that is missing at the
// start is no start-up error: the probe reports it. A disk that hangs holds nobody
// longer than until its own deadline. [Config.CheckSecrets] reads them all once, for a
// person who wants to know now.
//
// What is read prints as <secret> through every verb, encoder and logger. [Config.YAML]
// masks secrets in the same way.
//
// # Reload
//
// A Config is never changed. A [Store] holds the one in force and replaces it as a
// whole when a new one loads without an error; otherwise the old one stays. What did
// not change has the same fingerprint in both.
package config
