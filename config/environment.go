package config

import "hmp_exporter/internal/secret"

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
	var errs Errors
	r := newReport("environment", &errs)
	r.variables = variables

	const target, session = "targets[0]", "targets[0].sessions[0]"
	lookup := func(path, field string) string {
		value := getenv(variables[field])
		if value != "" {
			r.lines[join(path, field)] = 0
		}
		return value
	}
	given := func(field string) secret.Value {
		if value := lookup(session, field); value != "" {
			return secret.New(value)
		}
		return secret.Value{}
	}
	raw := rawTarget{
		Name: "default",
		URL:  lookup(target, "url"),
		Sessions: []rawSession{{
			Name:          "default",
			Token:         given("token"),
			TokenFile:     lookup(session, "token_file"),
			APIKey:        given("api_key"),
			APIKeyFile:    lookup(session, "api_key_file"),
			APISecret:     given("api_secret"),
			APISecretFile: lookup(session, "api_secret_file"),
		}},
	}

	b := newBuilder(&errs)
	b.config.source = r.file
	b.setGlobal(r, rawGlobal{})
	b.target(r, target, ".", &raw)
	return b.finish()
}
