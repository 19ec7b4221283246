package app

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"hmp_exporter/config"
)

// variables returns the flags of all commands that have one, by their variables.
func variables(app *kingpin.Application) map[string]*kingpin.FlagModel {
	all := make(map[string]*kingpin.FlagModel)
	model := app.Model()
	groups := []*kingpin.FlagGroupModel{model.FlagGroupModel}
	for _, c := range model.FlattenedCommands() {
		groups = append(groups, c.FlagGroupModel)
	}
	for _, group := range groups {
		for _, f := range group.Flags {
			if f.Envar != "" {
				all[f.Envar] = f
			}
		}
	}
	return all
}

// variableOf returns the variable whose value err is about, to be put before it; "" if it
// is about none. Kingpin does not tell.
func variableOf(app *kingpin.Application, args []string, err error) string {
	for name, f := range variables(app) {
		value, flag := os.Getenv(name), "--"+f.Name
		isFlag := func(arg string) bool { return arg == flag || strings.HasPrefix(arg, flag+"=") }
		if value == "" || slices.ContainsFunc(args, isFlag) {
			continue
		}
		if bad := f.Value.Set(value); bad != nil && bad.Error() == err.Error() || strings.Contains(err.Error(), flag+" ") {
			return name + ": "
		}
	}
	return ""
}

// ofKubernetes matches what Kubernetes sets for a Service named hmp-exporter.
var ofKubernetes = regexp.MustCompile(`^HMP_EXPORTER_(SERVICE_.*|PORT(_.*)?)$`)

// unknownVariables finds variables that look like those of flags.
func unknownVariables(app *kingpin.Application, environ []string) (unknown []Unknown) {
	known := variables(app)
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "HMP_EXPORTER_") || known[name] != nil || ofKubernetes.MatchString(name) {
			continue
		}
		u := Unknown{Name: name, Hint: "see hmp_exporter --help"}
		if near := config.Nearest(name, slices.Sorted(maps.Keys(known))); near != "" {
			u.Hint = "did you mean " + near + "?"
		}
		unknown = append(unknown, u)
	}
	return unknown
}

// nearestCommand is a hint for an argument that is probably a misspelt command.
func nearestCommand(app *kingpin.Application, err error) string {
	word, ok := strings.CutPrefix(err.Error(), "unexpected ")
	if !ok {
		return ""
	}
	var names []string
	for _, c := range app.Model().Commands {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	if near := config.Nearest(word, names); near != "" && near != word {
		return "did you mean " + near + "? "
	}
	return ""
}
