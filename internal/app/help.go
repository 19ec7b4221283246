package app

import (
	"slices"
	"strings"
	"text/template"

	"github.com/alecthomas/kingpin/v2"
)

// usage is the text of --help, of the program and of its commands.
const usage = `{{define "arguments"}}{{range .Args}} [{{or .PlaceHolder .Name}}{{end}}{{range .Args}}]{{end}}{{end -}}

{{with .Context.SelectedCommand -}}
usage: {{$.App.Name}} {{.FullCommand}} [<flags>]{{template "arguments" .}}

{{.Help|Wrap 0}}
{{- else -}}
usage: {{.App.Name}} [<command>] [<flags>] [<args> ...]

{{.App.Help|Wrap 0}}
Commands:
{{range .App.Commands}}{{if not .Hidden}}  {{.Name}}{{if .Default}}*{{end}}{{template "arguments" .}}
{{.Help|Wrap 4}}{{end}}{{end -}}
{{end}}
{{with .Context.Args|ArgsToTwoColumns}}Arguments:
{{FormatTwoColumns .}}
{{end -}}
{{range Groups .Context.SelectedCommand -}}
{{.Title}}:
{{.Flags|FlagsToTwoColumns|FormatTwoColumns}}
{{end -}}
{{with Notes .Context.SelectedCommand}}{{.}}
{{end -}}
Examples:
{{range Examples .Context.SelectedCommand}}  {{.}}
{{end -}}
`

// A group is flags that belong together.
type group struct {
	Title string
	Flags []*kingpin.FlagModel
}

// titles are those of the groups, by what the names of their flags begin with. What is in
// none of them is in the last one.
var titles = []struct {
	title    string
	prefixes []string
	serving  bool // for commands that serve
}{
	{"Configuration", []string{"config."}, false},
	{"Web", []string{"web."}, true},
	{"Scrapes", []string{"collector.sessions", "timeout-offset", "probe.interval"}, true},
	{"Probes", []string{"probe.", "collector.version"}, false},
	{"Log", []string{"log."}, false},
	{"Other", []string{""}, false},
}

// usageFuncs are what the template calls beside kingpin's own.
func usageFuncs(app *kingpin.Application) template.FuncMap {
	return template.FuncMap{
		"Groups":   func(of *kingpin.CmdModel) []group { return groups(app.Model(), of) },
		"Notes":    func(of *kingpin.CmdModel) string { return notes[name(of)] },
		"Examples": func(of *kingpin.CmdModel) []string { return examples[name(of)] },
		"Roff":     roff,
		"Command":  func(of *kingpin.CmdModel) []string { return examples[of.Name] },
	}
}

// name is that of a command, "" for the program itself.
func name(of *kingpin.CmdModel) string {
	if of == nil {
		return ""
	}
	return of.Name
}

// groups puts the flags that count for a command into groups: its own first, and for the
// program itself those of all commands last, so that one text names every flag.
func groups(app *kingpin.ApplicationModel, of *kingpin.CmdModel) []group {
	var all []group
	if of != nil {
		all = addGroup(all, "Flags", shown(of.Flags))
	}
	left := shown(app.Flags)
	for _, t := range titles {
		var flags, rest []*kingpin.FlagModel
		for _, f := range left {
			if slices.ContainsFunc(t.prefixes, func(p string) bool { return strings.HasPrefix(f.Name, p) }) {
				flags = append(flags, f)
			} else {
				rest = append(rest, f)
			}
		}
		left = rest
		if t.serving && !serves(of) { // check reads the web configuration
			flags = slices.DeleteFunc(flags, func(f *kingpin.FlagModel) bool { return of.Name != Check || f.Name != "web.config.file" })
		}
		all = addGroup(all, t.title, flags)
	}
	if of != nil {
		return all
	}
	for _, c := range app.Commands {
		if !c.Hidden {
			all = addGroup(all, "Flags of "+c.Name, shown(c.Flags))
		}
	}
	return all
}

func addGroup(to []group, title string, flags []*kingpin.FlagModel) []group {
	if len(flags) == 0 {
		return to
	}
	return append(to, group{title, flags})
}

func shown(flags []*kingpin.FlagModel) (visible []*kingpin.FlagModel) {
	for _, f := range flags {
		if !f.Hidden {
			visible = append(visible, f)
		}
	}
	return visible
}

// serves tells whether a command listens.
func serves(of *kingpin.CmdModel) bool { return of == nil || of.Name == Serve || of.Name == Demo }
