package app

import (
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// The texts below follow kingpin's own help.
const (
	programHelp = `Environment:
  Every flag is also read from the environment, --log.level from HMP_EXPORTER_LOG_LEVEL.
  One HMP needs no file: set HMP_URL, and HMP_API_KEY_FILE with HMP_API_SECRET_FILE, or
  HMP_TOKEN_FILE. Without _FILE, each is the secret itself. HMP_CA_FILE is the CA to trust.
  No flag takes a secret.

Signals:
  SIGHUP reloads the configuration. If it has errors, the old one stays.
  SIGTERM and SIGINT end the program after it has answered all scrapes under way.
  A second one ends it at once.

Exit status:
  0  success
  1  failure
  2  wrong command line, or for probe a wrong configuration

Examples:
  hmp_exporter demo                         see it work, without an HMP
  hmp_exporter check                        check hmp.yml
  hmp_exporter probe                        probe all sessions once
  hmp_exporter --config.file=/etc/hmp.yml   answer Prometheus on port 10042
  hmp_exporter probe --help                 flags and examples of a command
`
	serveHelp = `Examples:
  hmp_exporter serve --config.file=/etc/hmp_exporter/hmp.yml --log.format=json
  hmp_exporter --web.listen-address=127.0.0.1:10042 --web.config.file=web.yml
  HMP_URL=https://hmp.example HMP_API_KEY_FILE=key HMP_API_SECRET_FILE=secret hmp_exporter
`
	checkHelp = `Exit status:
  0  the configuration is correct; there may be warnings
  1  there are errors, or with --strict warnings

Examples:
  hmp_exporter check --strict
  hmp_exporter check --syntax-only hmp.yml
`
	probeHelp = `Exit status:
  0  all sessions are valid
  1  some are not valid or were not probed, or the output could not be written
  2  wrong command line or configuration

Output:
  On a terminal: a counter, then a table, in colour unless NO_COLOR is set. In a file: the
  first line is the summary, for Nagios: HMP OK, HMP FAILED or HMP INTERRUPTED. Nagios takes
  exit status 1 for a warning; its plugin negate makes it critical.

Logins:
  Each run logs in once for each API key, and HMP keeps that login for half an hour. So
  probe by hand or every few minutes. The running exporter does not log in for each scrape.

Examples:
  hmp_exporter probe
  hmp_exporter probe studio
  hmp_exporter probe studio playout --timeout=5s
  hmp_exporter probe --output=json | jq '.sessions[] | select(.valid | not)'
`
	demoHelp = `Examples:
  hmp_exporter demo
  hmp_exporter demo --web.listen-address=127.0.0.1:8080
`
	healthcheckHelp = `Examples:
  hmp_exporter healthcheck
  hmp_exporter healthcheck --url=http://127.0.0.1:10042/-/healthy
`
)

// kingpin's own templates, with the texts above at the end.
var (
	usageTemplate = kingpin.DefaultUsageTemplate +
		"{{if .Context.SelectedCommand}}{{.Context.SelectedCommand.HelpLong}}{{else}}" + programHelp + "{{end}}"
	longHelpTemplate = kingpin.LongHelpTemplate + programHelp
	manPageTemplate  = strings.NewReplacer(
		"{{.App.Version}}", `""`, // it has several lines
		"\"NAME\"\n{{.App.Name}}\n", "\"NAME\"\n{{.App.Name}} \\- {{.App.Help}}\n", // for apropos
	).Replace(kingpin.ManPageTemplate) +
		".SH NOTES\n.nf\n" + programHelp + ".fi\n" +
		"{{range .App.Commands}}{{if .HelpLong}}.SS {{.Name}}\n.nf\n{{.HelpLong}}.fi\n{{end}}{{end}}"
	// In "--flag=", the word to complete is "=".
	bashTemplate = strings.Replace(kingpin.BashCompletionTemplate, "-- ${cur}", "-- ${cur#=}", 1)
)

// newApplication returns an application without flags and commands.
func newApplication() *kingpin.Application {
	kingpin.LongHelpTemplate, kingpin.ManPageTemplate, kingpin.BashCompletionTemplate = longHelpTemplate, manPageTemplate, bashTemplate
	return kingpin.New("hmp_exporter", "Prometheus exporter for sessions and API keys on Haivision Media Platforms (HMP).").
		UsageWriter(os.Stdout).UsageTemplate(usageTemplate).DefaultEnvars()
}
