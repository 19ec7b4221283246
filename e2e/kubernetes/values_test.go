package kubernetes

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWrongValues makes the mistakes that one makes. Each gets one error, which says where and what to do.
func TestWrongValues(t *testing.T) {
	const (
		session = `config: {targets: [{name: studio, url: "https://hmp.example", sessions: [{name: playout, `
		end     = `}]}]}`
		files   = "\nfiles: [{secret: {name: hmp, items: [{key: token, path: secrets/token}]}}]"
		target  = `config: {targets: [{name: studio, url: "https://hmp.example", sessions: [{name: playout, token_file: /t}], `
		good    = session + `token_file: secrets/token` + end + files
	)
	tests := map[string]struct{ values, want string }{
		"nothing":           {``, "there is nothing to watch: set config, the contents of hmp.yml"},
		"two sources":       {"demo: true\n" + good, "there are several answers to what is watched: config and demo; take one"},
		"unknown value":     {"demo: true\nreplica: 2", "additional properties 'replica' not allowed"},
		"unknown field":     {session + `token_fiel: secrets/token` + end, "at '/config/targets/0/sessions/0': additional properties 'token_fiel' not allowed"},
		"wrong type":        {"demo: true\nreplicas: two", "at '/replicas': got string, want integer"},
		"wrong level":       {"demo: true\nlog: {level: loud}", "at '/log/level': value must be one of 'debug', 'info', 'warn', 'error'"},
		"size as a number":  {target + `max_body_size: 67108864}]}`, "at '/config/targets/0/max_body_size': got number, want string"},
		"size without unit": {target + `max_body_size: "67108864"}]}`, "at '/config/targets/0/max_body_size': '67108864' does not match pattern"},
		"no sessions":       {`config: {targets: [{name: studio, url: "https://hmp.example"}]}`, "at '/config/targets/0': missing property 'sessions'"},
		"token":             {session + `token: CANARY` + end, "config.targets[0].sessions[0].token would be a secret in a ConfigMap: put it into a Secret, name that under files, and set token_file"},
		"api secret":        {session + `api_key_file: /k, api_secret: CANARY` + end, "config.targets[0].sessions[0].api_secret would be a secret in a ConfigMap"},
		"password of proxy": {target + `proxy_url: "http://u:CANARY@proxy"}]}`, "config.targets[0].proxy_url has a password"},
		"secret header":     {target + `http_headers: {X-Key: {secrets: [CANARY]}}}]}`, "config.targets[0].http_headers.X-Key.secrets would be a secret in a ConfigMap"},
		"header of proxy":   {target + `proxy_connect_header: {Proxy-Authorization: [CANARY]}}]}`, "config.targets[0].proxy_connect_header would be a secret in a ConfigMap"},
		"private key":       {target + `tls_config: {key: CANARY}}]}`, "config.targets[0].tls_config.key would be a secret in a ConfigMap"},
		"missing file":      {session + `token_file: secrets/other` + end + files, "config.targets[0].sessions[0].token_file is secrets/other, which no item of files has as its path"},
		"file twice":        {"demo: true\nfiles: [{secret: {name: hmp, items: [{key: a, path: token}, {key: b, path: token}]}}]", "files has token twice"},
		"file in the way":   {"demo: true\nfiles: [{secret: {name: hmp, items: [{key: a, path: hmp.yml}]}}]", "files has a hmp.yml"},
		"whole secret":      {"demo: true\nfiles: [{secret: {name: hmp}}]", "at '/files/0/secret': missing property 'items'"},
		"absolute path":     {"demo: true\nfiles: [{secret: {name: hmp, items: [{key: token, path: /secrets/token}]}}]", "at '/files/0/secret/items/0/path'"},
		"half a key":        {"environment: {url: 'https://hmp.example', apiKeyFile: /k}", "environment.url wants either environment.tokenFile, or both"},
		"token and key":     {"environment: {url: 'https://hmp.example', tokenFile: /t, apiKeyFile: /k, apiSecretFile: /s}", "environment.url wants either environment.tokenFile, or both"},
		"no url":            {"demo: true\nenvironment: {tokenFile: /t}", "environment has files and no environment.url"},
		"probed twice":      {"demo: true\nscrapeConfig: {enabled: true}", "set collector.sessions to false"},
		"sharded by nobody": {"demo: true\nsharding: true", "set scrapeConfig.enabled to true"},
		"lone pod":          {"demo: true\npodDisruptionBudget: {enabled: true}", "wants at least 2 replicas"},
		"two monitors":      {"demo: true\nserviceMonitor: {enabled: true}\npodMonitor: {enabled: true}", "would scrape each pod twice"},
		"no certificate":    {"demo: true\nweb: {scheme: HTTPS}", "name a web configuration with TLS as web.configFile"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := helmTemplate(t, exampleValues(t, test.values))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "CANARY") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

// TestConfigurationFields checks that the schema knows the fields that the reference configuration explains, and no more.
func TestConfigurationFields(t *testing.T) {
	reference, err := os.ReadFile("../../config/reference.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]bool)
	for _, field := range regexp.MustCompile(`(?m)^ *(?:# *)?(?:- )?([a-z0-9_]+):`).FindAllSubmatch(reference, -1) {
		if name := string(field[1]); name != "true" && name != "false" {
			want[name] = true
		}
	}
	text, err := os.ReadFile(filepath.Join(chartDir, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var root struct{ Properties map[string]schema }
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bool)
	root.Properties["config"].addFields(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields of config (-reference.yml +values.schema.json):\n%s", diff)
	}
}

// A schema is what fields an object may have.
type schema struct {
	Properties           map[string]schema
	Items                *schema
	AdditionalProperties json.RawMessage
}

func (s schema) addFields(to map[string]bool) {
	for name, field := range s.Properties {
		to[name] = true
		field.addFields(to)
	}
	if s.Items != nil {
		s.Items.addFields(to)
	}
	var values schema
	if json.Unmarshal(s.AdditionalProperties, &values) == nil { // not if it is just false
		values.addFields(to)
	}
}
