package config

import (
	"maps"
	"slices"
	"strings"

	"hmp_exporter/internal/secret"
)

// variables are the environment variables of a configuration without a file, by field.
var variables = map[string]string{
	"url":             "HMP_URL",
	"ca_file":         "HMP_CA_FILE",
	"token":           "HMP_TOKEN",
	"token_file":      "HMP_TOKEN_FILE",
	"api_key":         "HMP_API_KEY",
	"api_key_file":    "HMP_API_KEY_FILE",
	"api_secret":      "HMP_API_SECRET",
	"api_secret_file": "HMP_API_SECRET_FILE",

	"sessions[0]": "HMP_API_KEY_FILE", // for problems of the whole session
}

// inEnvironment reports whether any of the variables is set. An empty variable counts as not
// set.
func inEnvironment(getenv func(string) string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(variables)), func(variable string) bool { return getenv(variable) != "" })
}

// loadEnvironment makes a configuration from the variables. It has one target with one
// session, both named "default".
func (l *loader) loadEnvironment(getenv func(string) string) {
	p := l.document("environment")
	p.variables = variables
	get := func(field string) string { return strings.TrimSpace(getenv(variables[field])) } // $(cat file) and the like can add white space
	getSecret := func(field string) secret.Value { return newSecret(get(field)) }
	raw := &rawTarget{Name: "default", URL: get("url"), Sessions: []rawSession{{
		Name:  "default",
		Token: getSecret("token"), TokenFile: get("token_file"),
		APIKey: getSecret("api_key"), APIKeyFile: get("api_key_file"),
		APISecret: getSecret("api_secret"), APISecretFile: get("api_secret_file"),
	}}}
	raw.TLSConfig.CAFile = get("ca_file")
	p.lines["targets[0].sessions[0]"] = 0 // given
	l.addTarget(p.child("targets[0]"), raw)
}
