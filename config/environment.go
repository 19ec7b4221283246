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
	return fromEnvironment(context.Background(), getenv)
}

func fromEnvironment(ctx context.Context, getenv func(string) string) (*Config, error) {
	b := newBuilder(ctx, "environment")
	r := newReport("environment", &b.errs)
	r.variables = variables

	const target, session = "targets[0]", "targets[0].sessions[0]"
	text := func(path, field string) string {
		value := getenv(variables[field])
		if value != "" {
			r.lines[join(path, field)] = 0
		}
		return value
	}
	// Shells and secret managers like to add white space.
	value := func(field string) secret.Value {
		if value := text(session, field); value != "" {
			return secret.New(strings.TrimSpace(value))
		}
		return secret.Value{}
	}
	b.setGlobal(r, rawGlobal{})
	b.target(r, target, ".", &rawTarget{
		Name: "default",
		URL:  text(target, "url"),
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
