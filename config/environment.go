package config

import (
	"context"
	"strings"

	"hmp_exporter/internal/secret"
)

// variables are the environment variables that make up a configuration without a
// file, by the field that each stands for.
var variables = map[string]string{
	"url":             "HMP_URL",
	"token":           "HMP_TOKEN",
	"token_file":      "HMP_TOKEN_FILE",
	"api_key":         "HMP_API_KEY",
	"api_key_file":    "HMP_API_KEY_FILE",
	"api_secret":      "HMP_API_SECRET",
	"api_secret_file": "HMP_API_SECRET_FILE",

	// Where a problem is that of the session as a whole.
	"sessions[0]": "HMP_TOKEN_FILE",
}

// InEnvironment reports whether any of the variables is set that [FromEnvironment]
// reads. One that is set to nothing counts as not set.
func InEnvironment(getenv func(string) string) bool {
	for _, variable := range variables {
		if getenv(variable) != "" {
			return true
		}
	}
	return false
}

// FromEnvironment makes a configuration of one target with one session, both named
// "default", from HMP_URL with HMP_TOKEN or HMP_TOKEN_FILE, or with HMP_API_KEY and
// HMP_API_SECRET, each of which can be …_FILE too. The error is of type [Errors].
func FromEnvironment(getenv func(string) string) (*Config, error) {
	b := newBuilder(context.Background(), "environment")
	p := place{report: newReport("environment", &b.errs), path: "targets[0]", dir: "."}
	p.variables = variables
	p.lines["targets[0].sessions[0]"] = 0
	text := func(p place, field string) string {
		value := getenv(variables[field])
		if value != "" {
			p.lines[p.at(field)] = 0
		}
		return value
	}
	session := p.in("sessions[0]")
	value := func(field string) secret.Value {
		if value := text(session, field); value != "" {
			return secret.New(strings.TrimSpace(value)) // shells and secret managers like to add white space
		}
		return secret.Value{}
	}
	b.setGlobal(p.report, rawGlobal{})
	b.target(p, &rawTarget{
		Name: "default",
		URL:  text(p, "url"),
		Sessions: []rawSession{{
			Name:          "default",
			Token:         value("token"),
			TokenFile:     text(session, "token_file"),
			APIKey:        value("api_key"),
			APIKeyFile:    text(session, "api_key_file"),
			APISecret:     value("api_secret"),
			APISecretFile: text(session, "api_secret_file"),
		}},
	})
	return b.finish()
}
