package kubernetes

import (
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
)

// TestWrongValues checks the errors of common mistakes. Each error says where it is and what to do.
func TestWrongValues(t *testing.T) {
	const (
		session = `config: {targets: [{name: studio, url: "https://hmp.example", sessions: [{name: playout, `
		end     = `}]}]}`
		files   = "\nfiles: [{secret: {name: hmp, items: [{key: token, path: secrets/token}]}}]"
		target  = `config: {targets: [{name: studio, url: "https://hmp.example", sessions: [{name: playout, token_file: /t}], `
		rules   = "demo: true\nprometheusRule: {enabled: true, runbookPrefix: 'https://r.example/', alerts: "
		good    = session + `token_file: secrets/token` + end + files
	)
	tests := map[string]struct{ values, want string }{
		"nothing":           {``, "there is nothing to watch: set config, the contents of hmp.yml"},
		"two sources":       {"demo: true\n" + good, "the configuration has several sources: config and demo; keep one"},
		"unknown value":     {"demo: true\nreplica: 2", "additional properties 'replica' not allowed"},
		"unknown field":     {session + `token_fiel: secrets/token` + end, "at '/config/targets/0/sessions/0': additional properties 'token_fiel' not allowed"},
		"wrong type":        {"demo: true\nreplicas: two", "at '/replicas': got string, want integer"},
		"wrong level":       {"demo: true\nlog: {level: loud}", "at '/log/level': value must be one of 'debug', 'info', 'warn', 'error'"},
		"token":             {session + `token: CANARY` + end, "config.targets[0].sessions[0].token would be a secret in a ConfigMap: put it into a Secret, name that under files, and set token_file"},
		"api secret":        {session + `api_key_file: /k, api_secret: CANARY` + end, "config.targets[0].sessions[0].api_secret would be a secret in a ConfigMap"},
		"password of proxy": {target + `proxy_url: "http://u:CANARY@proxy"}]}`, "config.targets[0].proxy_url has a password"},
		"secret header":     {target + `http_headers: {X-Key: {secrets: [CANARY]}}}]}`, "config.targets[0].http_headers.X-Key.secrets would be a secret in a ConfigMap"},
		"header of proxy":   {target + `proxy_connect_header: {Proxy-Authorization: [CANARY]}}]}`, "config.targets[0].proxy_connect_header would be a secret in a ConfigMap"},
		"private key":       {target + `tls_config: {key: CANARY}}]}`, "config.targets[0].tls_config.key would be a secret in a ConfigMap"},
		"missing file":      {session + `token_file: secrets/other` + end + files, "config.targets[0].sessions[0].token_file is secrets/other, but no item of files has this path"},
		"file twice":        {"demo: true\nfiles: [{secret: {name: hmp, items: [{key: a, path: token}, {key: b, path: token}]}}]", "files contains token twice"},
		"file in the way":   {"demo: true\nfiles: [{secret: {name: hmp, items: [{key: a, path: hmp.yml}]}}]", "files contains hmp.yml"},
		"whole secret":      {"demo: true\nfiles: [{secret: {name: hmp}}]", "at '/files/0/secret': missing property 'items'"},
		"absolute path":     {"demo: true\nfiles: [{secret: {name: hmp, items: [{key: token, path: /secrets/token}]}}]", "at '/files/0/secret/items/0/path'"},
		"half a key":        {"environment: {url: 'https://hmp.example', apiKeyFile: /k}", "environment.url needs either environment.tokenFile, or both"},
		"token and key":     {"environment: {url: 'https://hmp.example', tokenFile: /t, apiKeyFile: /k, apiSecretFile: /s}", "environment.url needs either environment.tokenFile, or both"},
		"no url":            {"demo: true\nenvironment: {tokenFile: /t}", "environment has files but no environment.url"},
		"probed twice":      {"demo: true\nscrapeConfig: {enabled: true}", "set collector.sessions to false"},
		"load balancer":     {"demo: true\nreplicas: 2\ncollector: {sessions: false}\nscrapeConfig: {enabled: true}", "every pod would log in; set sharding to true"},
		"sharded by nobody": {"demo: true\nsharding: true", "set scrapeConfig.enabled to true"},
		"lone pod":          {"demo: true\npodDisruptionBudget: {enabled: true}", "needs at least 2 replicas"},
		"no runbook":        {"demo: true\nprometheusRule: {enabled: true}", "set web.externalUrl, for the runbook of the exporter, or prometheusRule.runbookPrefix"},
		"unknown alert":     {rules + "{HMPGone: {enabled: false}}}", "prometheusRule.alerts.HMPGone: there is no such alert; there are HMP"},
		"other threshold":   {rules + "{HMPSessionFlapping: {replace: {'>= 99': '>= 5'}}}}", `HMPSessionFlapping.replace: the expression has no ">= 99": `},
		"unknown change":    {rules + "{HMPSessionFlapping: {threshold: 5}}}", "additional properties 'threshold' not allowed"},
		"no certificate":    {"demo: true\nweb: {scheme: HTTPS}", "set web.configFile to a web configuration with TLS"},
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

// TestLostLinks checks the error of a chart whose symbolic links are missing or became text.
func TestLostLinks(t *testing.T) {
	text := &common.File{Name: "files/dashboards/hmp-session.json", Data: []byte("../../../../../dashboards/hmp-session.json")}
	for values, files := range map[string][]*common.File{
		"dashboards: {enabled: true}":                                          {text},
		"dashboards: { enabled: true}":                                         nil,
		"prometheusRule: {enabled: true, runbookPrefix: 'https://r.example/'}": nil,
	} {
		broken := load(t)
		broken.Files = files
		if _, err := renderChart(broken, exampleValues(t, "demo: true\n"+values)); err == nil || !strings.Contains(err.Error(), "take the chart from a checkout of the repository") {
			t.Errorf("%s: got %v", values, err)
		}
	}
}
