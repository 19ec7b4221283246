package app

import "strings"

// manPage is the text of --help-man, in the macros of man(7).
const manPage = `{{define "flags" -}}
{{range .}}{{if not .Hidden -}}
.TP
\fB{{if .Short}}\-{{.Short|Char}}\fR, \fB{{end}}\-\-{{if .IsBoolFlag}}[no\-]{{end}}{{.Name|Roff}}{{if not .IsBoolFlag}}\fR=\fI{{.FormatPlaceHolder|Roff}}{{end}}\fR
{{.Help|Roff}}{{if .Envar}}
Environment: \fB{{.Envar|Roff}}\fR.{{end}}
{{end}}{{end}}{{end -}}

.TH HMP_EXPORTER 1 "" "hmp_exporter" "User Commands"
.nh
.ad l
.SH NAME
{{.App.Name|Roff}} \- Prometheus exporter for the Haivision Media Platform
.SH SYNOPSIS
{{range $i, $c := .App.Commands}}{{if not .Hidden}}{{if ne .Name "help" -}}
.br
.B {{$.App.Name|Roff}}
{{if .Default}}[{{.Name}}]{{else}}{{.Name}}{{end}} [\fIflags\fR]{{range .Args}} [\fI{{.PlaceHolder}}\fR{{end}}{{range .Args}}]{{end}}
{{end}}{{end}}{{end -}}
.SH DESCRIPTION
{{.App.Help|Roff}}
It asks each HMP, with the token of each session, whether the session is valid, and hands Prometheus the answer.
.SH COMMANDS
{{range .App.Commands}}{{if not .Hidden}}{{if ne .Name "help" -}}
.SS {{.Name}}
{{.Help|Roff}}
{{template "flags" .Flags}}{{if Command .}}.PP
Examples:
.PP
.nf
.RS
{{range Command .}}{{.|Roff}}
{{end -}}
.RE
.fi
{{end}}{{end}}{{end}}{{end -}}
.SH OPTIONS
All commands take these; those about the web and scrapes are of use to commands that serve.
{{template "flags" .App.Flags -}}
.SH EXIT STATUS
.TP
.B 0
All is well: it served until it was told to end, the configuration is good, all sessions are valid.
.TP
.B 1
It is not: it could not start, the configuration has errors, some sessions are not valid or were not probed.
.TP
.B 2
.B probe
was given a command line or a configuration with a mistake in it.
.SH ENVIRONMENT
.TP
.BR HMP_URL ", " HMP_TOKEN ", " HMP_API_KEY ", " HMP_API_SECRET
Configure a single HMP in place of a file: the URL with a token, or with a key and its secret.
Each secret can also be named as a file, such as
.BR HMP_API_KEY_FILE .
.TP
.B NO_COLOR
If it is set,
.B probe
shows no colours.
.SH FILES
.TP
.I hmp.yml
The configuration, in the directory that the program is started in, unless
.B \-\-config.file
names another.
.SH SIGNALS
.TP
.B SIGHUP
Loads the configuration again. If it has errors, the old one stays.
.TP
.BR SIGTERM ", " SIGINT
End the program once all scrapes under way are answered; a second one ends it at once.
.SH SEE ALSO
.BR prometheus (1),
.UR https://prometheus.io
.UE
`

// roff writes a text so that roff shows it as it is.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, "/", `/\:`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
