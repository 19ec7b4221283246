package commandline

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
{{range Groups .Context.SelectedCommand .Context.Flags -}}
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

// titles are those of the groups, by what the names of their flags begin with.
var titles = []struct {
	title    string
	prefixes []string
	serving  bool // for commands that serve
}{
	{"Configuration", []string{"config."}, false},
	{"Web", []string{"web."}, true},
	{"Scrapes", []string{"collector.", "timeout-offset"}, true},
	{"Probes", []string{"probe."}, false},
	{"Log", []string{"log."}, false},
}

// usageFuncs are what the template calls beside kingpin's own.
func usageFuncs(app *kingpin.Application) template.FuncMap {
	return template.FuncMap{
		"Groups":   func(of *kingpin.CmdModel, flags []*kingpin.FlagModel) []group { return groups(app.Model(), of, flags) },
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

// groups puts the flags that count for a command into groups, its own first.
func groups(app *kingpin.ApplicationModel, of *kingpin.CmdModel, flags []*kingpin.FlagModel) []group {
	var all []group
	if of == nil {
		// Those of the commands too, so that one text names every flag.
		for _, c := range app.Commands {
			if visible := shown(c.Flags); len(visible) > 0 && !c.Hidden {
				all = append(all, group{"Flags of " + c.Name, visible})
			}
		}
	} else if own := shown(of.Flags); len(own) > 0 {
		all = append(all, group{"Flags", own})
	}
	first := len(all)
	for _, t := range titles {
		g := group{Title: t.title}
		for _, f := range shown(flags) {
			if slices.ContainsFunc(t.prefixes, func(p string) bool { return strings.HasPrefix(f.Name, p) }) && (!t.serving || serves(of)) {
				g.Flags = append(g.Flags, f)
			}
		}
		if len(g.Flags) > 0 {
			all = append(all, g)
		}
	}
	other := group{Title: "Other"}
	for _, f := range shown(app.Flags) {
		if f.Name == "help" || f.Name == "version" {
			other.Flags = append(other.Flags, f)
		}
	}
	if of == nil { // what belongs to one command comes after what belongs to all
		all = append(all[first:], all[:first]...)
	}
	return append(all, other)
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
