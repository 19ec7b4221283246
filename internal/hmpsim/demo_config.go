package hmpsim

import (
	"bytes"
	"text/template"
)

// demoTemplate is the configuration as a user would write it. Names, URLs and
// paths are the demo's own and need no quotes.
var demoTemplate = template.Must(template.New("hmp.yml").Parse(`# Written by the demo: simulated HMPs on this machine, among them one whose
# certificate has expired, and targets where no HMP is.
global:
  timeout: 5s # shorter than the default, so that those that hang hold up less
targets:
{{- range .}}
  - name: {{.Name}}
    url: {{.URL}}
{{- range .Config}}
    {{.}}
{{- end}}
    tls_config:
      ca_file: ca.pem
    sessions:
{{- range .Sessions}}
      - name: {{.Name}}
{{- range .Files}}
        {{.Field}}: {{.Path}}
{{- end}}
{{- end}}
{{- end}}
`))

// demoConfig returns the text of hmp.yml.
func demoConfig(fleet []demoTarget) []byte {
	type session struct {
		Name  string
		Files []demoFile
	}
	type target struct {
		Name, URL string
		Config    []string
		Sessions  []session
	}
	var targets []target
	for _, t := range fleet {
		shown := target{Name: t.name, URL: t.url, Config: t.config}
		for _, s := range t.sessions {
			shown.Sessions = append(shown.Sessions, session{s.name, t.files(s)})
		}
		targets = append(targets, shown)
	}
	var text bytes.Buffer
	if err := demoTemplate.Execute(&text, targets); err != nil {
		panic("hmpsim: " + err.Error()) // the template and its data are fixed
	}
	return text.Bytes()
}
