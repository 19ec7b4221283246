package config

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
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

// InEnvironment reports whether any of the variables is set. An empty variable counts as not
// set.
func InEnvironment(getenv func(string) string) bool {
	isSet := func(variable string) bool { return getenv(variable) != "" }
	return slices.ContainsFunc(slices.Collect(maps.Values(variables)), isSet)
}

// fromEnvironment makes a configuration from the variables. It has one target with one
// session, both named "default". The error is of type [Errors].
func fromEnvironment(ctx context.Context, getenv func(string) string) (*Config, error) {
	b, p := newBuilder(ctx, "environment")
	p.variables = variables
	target := p.child("targets[0]")
	session := target.child("sessions[0]")
	session.lines[session.path] = 0

	raw := &rawTarget{Name: "default", URL: getenv(variables["url"]), Sessions: []rawSession{{Name: "default"}}}
	raw.TLSConfig.CAFile = strings.TrimSpace(getenv(variables["ca_file"]))
	out := reflect.ValueOf(&raw.Sessions[0]).Elem()
	for field, at := range fieldsOf(out.Type()).index {
		if value := getenv(variables[field]); variables[field] != "" && value != "" {
			session.lines[session.fieldPath(field)] = 0
			set(&yaml.Node{Value: strings.TrimSpace(value)}, out.FieldByIndex(at)) // $(cat file) and the like can add white space
		}
	}
	b.target(target, raw)
	return b.finish()
}
