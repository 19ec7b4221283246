package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFromEnvironment(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want string // the credential of the one session, or the error
	}{
		{"token", map[string]string{"HMP_URL": "https://h", "HMP_TOKEN": "CANARY"}, "environment variable HMP_TOKEN"},
		{"token file", map[string]string{"HMP_URL": "https://h", "HMP_TOKEN_FILE": "t"}, "HMP_TOKEN_FILE t"},
		{"key", map[string]string{"HMP_URL": "https://h", "HMP_API_KEY": "CANARY", "HMP_API_SECRET": "CANARY"}, "environment variable HMP_API_KEY, environment variable HMP_API_SECRET"},
		{"key files", map[string]string{"HMP_URL": "https://h", "HMP_API_KEY_FILE": "k", "HMP_API_SECRET_FILE": "s"}, "HMP_API_KEY_FILE k, HMP_API_SECRET_FILE s"},
		{"no CA", map[string]string{"HMP_URL": "https://h", "HMP_TOKEN": "CANARY", "HMP_CA_FILE": " nowhere.pem "}, "environment: HMP_CA_FILE: nowhere.pem: no such file or directory; a relative path is relative to the directory that hmp_exporter was started in"},
		{"no CA, but a key", map[string]string{"HMP_URL": "https://h", "HMP_TOKEN": "CANARY", "HMP_CA_FILE": "environment_test.go"}, "environment: HMP_CA_FILE: environment_test.go: is not PEM; it begins with -----BEGIN"},
		{"nothing", nil, "" +
			"environment: HMP_URL: is missing; the base URL of the HMP, such as https://hmp.example\n" +
			"environment: HMP_API_KEY_FILE: no credential; set HMP_API_KEY_FILE and HMP_API_SECRET_FILE, or HMP_TOKEN_FILE"},
		{"no credential", map[string]string{"HMP_URL": "https://h"}, "environment: HMP_API_KEY_FILE: no credential; set HMP_API_KEY_FILE and HMP_API_SECRET_FILE, or HMP_TOKEN_FILE"},
		{"no URL", map[string]string{"HMP_TOKEN": "CANARY"}, "environment: HMP_URL: is missing; the base URL of the HMP, such as https://hmp.example"},
		{"bad URL and token", map[string]string{"HMP_URL": "https://u:CANARY@h", "HMP_TOKEN": "Bearer CANARY"}, "" +
			"environment: HMP_URL: has a user or password in it; remove them; give the token, or the API key and secret, to a session\n" +
			"environment: HMP_TOKEN: begins with the word Bearer; leave out the word Bearer"},
		{"token twice", map[string]string{"HMP_URL": "https://h", "HMP_TOKEN": "CANARY", "HMP_TOKEN_FILE": "t"}, "environment: HMP_TOKEN_FILE: both HMP_TOKEN and HMP_TOKEN_FILE; keep one of the two"},
		{"both", map[string]string{"HMP_URL": "https://h", "HMP_TOKEN_FILE": "t", "HMP_API_KEY": "CANARY"}, "environment: HMP_TOKEN_FILE: a token and an API key or secret; keep one: the token, or the key and secret"},
		{"key alone", map[string]string{"HMP_URL": "https://h", "HMP_API_KEY": "CANARY"}, "environment: HMP_API_KEY: an API key without its secret; set HMP_API_SECRET_FILE too"},
		{"secret alone", map[string]string{"HMP_URL": "https://h", "HMP_API_SECRET_FILE": "s"}, "environment: HMP_API_SECRET_FILE: an API secret without its key; set HMP_API_KEY_FILE too"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			getenv := func(variable string) string { return test.env[variable] }
			if got, want := InEnvironment(getenv), len(test.env) > 0; got != want {
				t.Errorf("InEnvironment = %v, want %v", got, want)
			}
			config, err := fromEnvironment(t.Context(), getenv)
			got := errorText(err)
			if err == nil {
				target := config.Targets[0]
				got = target.Sessions[0].Credential()
				noCanary(t, show(t, config))
				if target.Name != "default" || target.Sessions[0].Name != "default" {
					t.Errorf("target %q, session %q; want default", target.Name, target.Sessions[0].Name)
				}
			}
			noCanary(t, got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFromEnvironmentCheck(t *testing.T) {
	env := map[string]string{"HMP_URL": "https://h", "HMP_TOKEN_FILE": "testdata/nowhere"}
	config, err := fromEnvironment(t.Context(), func(variable string) string { return env[variable] })
	if err != nil {
		t.Fatal(err)
	}
	want := "environment: HMP_TOKEN_FILE: testdata/nowhere: no such file or directory; a relative path is relative to the directory that hmp_exporter was started in"
	if got := errorText(config.CheckSecrets()); got != want {
		t.Errorf("CheckSecrets = %q, want %q", got, want)
	}
	if got, want := config.Summary(), "environment: 1 target, 1 session"; got != want {
		t.Errorf("Summary = %q, want %q", got, want)
	}
}
