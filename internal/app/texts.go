package app

// notes are what else the help of a command says, "" being that of the program.
var notes = map[string]string{
	"": `Environment:
  Every flag is also read from the environment, --log.level from HMP_EXPORTER_LOG_LEVEL.
  One HMP needs no file: set HMP_URL, and HMP_API_KEY_FILE with HMP_API_SECRET_FILE, or
  HMP_TOKEN_FILE. Without _FILE, each is the secret itself. HMP_CA_FILE is the CA to trust.
  No flag takes a secret.

Signals:
  SIGHUP loads the configuration again. SIGTERM and SIGINT end the program once all
  scrapes under way are answered; a second one ends it at once.
`,
	Serve: `Exit status:
  0  it was ended by a signal, and all scrapes were answered
  1  it could not start
`,
	Check: `Exit status:
  0  the configuration is good; there may be warnings
  1  there are errors, or warnings with --strict
`,
	Probe: `Exit status:
  0  all sessions are valid
  1  some are not, or were not probed, or the output could not be written
  2  the command line or the configuration has a mistake

Output:
  A terminal shows how many sessions have answered, then a table, with colours unless
  NO_COLOR is set. Elsewhere, the first line of the output sums up, for Nagios: HMP OK, HMP FAILED, or HMP INTERRUPTED. Nagios takes 1 for a
  warning; its plugin negate makes it critical.

Logins:
  A session with an API key logs in once, and HMP keeps what a login opens for half an
  hour: probe by hand, or every few minutes. A scrape of the daemon does not log in anew.
`,
	Demo: `Exit status:
  0  it was ended by a signal
  1  it could not start
`,
}

// examples are those in the help of a command.
var examples = map[string][]string{
	"": {
		"hmp_exporter demo                         see it work, without an HMP",
		"hmp_exporter check                        see whether hmp.yml is good",
		"hmp_exporter probe                        see whether all sessions are valid",
		"hmp_exporter --config.file=/etc/hmp.yml   answer Prometheus on port 10042",
		"hmp_exporter probe --help                 how to use one of the commands",
	},
	Serve: {
		"hmp_exporter",
		"hmp_exporter serve --config.file=/etc/hmp_exporter/hmp.yml --log.format=json",
		"hmp_exporter --web.listen-address=127.0.0.1:10042 --web.config.file=web.yml",
		"HMP_URL=https://hmp.example HMP_API_KEY_FILE=key HMP_API_SECRET_FILE=secret hmp_exporter",
	},
	Check: {
		"hmp_exporter check",
		"hmp_exporter check --strict --scrape-interval=30s",
		"hmp_exporter check --syntax-only hmp.yml",
	},
	Probe: {
		"hmp_exporter probe",
		"hmp_exporter probe studio",
		"hmp_exporter probe studio playout --timeout=5s",
		"hmp_exporter probe --output=json | jq '.sessions[] | select(.valid | not)'",
		"hmp_exporter probe --output=metrics",
	},
	Demo: {
		"hmp_exporter demo",
		"hmp_exporter demo --web.listen-address=127.0.0.1:8080",
	},
	"help": {
		"hmp_exporter help probe",
	},
}
