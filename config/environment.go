package config

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// variables are the environment variables that make up a configuration without a
// file, by the field that each stands for.
var variables = map[string]string{
	"url":             "HMP_URL",
	"ca_file":         "HMP_CA_FILE",
	"token":           "HMP_TOKEN",
	"token_file":      "HMP_TOKEN_FILE",
	"api_key":         "HMP_API_KEY",
	"api_key_file":    "HMP_API_KEY_FILE",
	"api_secret":      "HMP_API_SECRET",
	"api_secret_file": "HMP_API_SECRET_FILE",

	"sessions[0]": "HMP_API_KEY_FILE", // where a problem is that of the session as a whole
}

// InEnvironment reports whether any of the variables is set that [FromEnvironment]
// reads. One that is set to nothing counts as not set.
func InEnvironment(getenv func(string) string) bool {
	isSet := func(variable string) bool { return getenv(variable) != "" }
	return slices.ContainsFunc(slices.Collect(maps.Values(variables)), isSet)
}

// FromEnvironment makes a configuration of one target with one session, both named
// "default", from HMP_URL with HMP_TOKEN or HMP_TOKEN_FILE, or with HMP_API_KEY and
// HMP_API_SECRET, each of which can be …_FILE too, and from HMP_CA_FILE. The error is of
// type [Errors].
func FromEnvironment(getenv func(string) string) (*Config, error) {
	return fromEnvironment(context.Background(), getenv)
}

func fromEnvironment(ctx context.Context, getenv func(string) string) (*Config, error) {
	b, p := newBuilder(ctx, "environment")
	p.variables = variables
	target := p.in("targets[0]")
	session := target.in("sessions[0]")
	session.lines[session.path] = 0

	raw := &rawTarget{Name: "default", URL: getenv(variables["url"]), Sessions: []rawSession{{Name: "default"}}}
	raw.TLSConfig.CAFile = strings.TrimSpace(getenv(variables["ca_file"]))
	out := reflect.ValueOf(&raw.Sessions[0]).Elem()
	for field, at := range fieldsOf(out.Type()).index {
		if value := getenv(variables[field]); variables[field] != "" && value != "" {
			session.lines[session.at(field)] = 0
			set(&yaml.Node{Value: strings.TrimSpace(value)}, out.FieldByIndex(at)) // shells like to add white space
		}
	}
	b.target(target, raw)
	return b.finish()
}
