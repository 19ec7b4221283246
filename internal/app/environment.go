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

// flagsByVariable returns all flags by their environment variable.
func flagsByVariable(app *kingpin.Application) map[string]*kingpin.FlagModel {
	all := make(map[string]*kingpin.FlagModel)
	groups := []*kingpin.FlagGroupModel{app.Model().FlagGroupModel}
	for _, c := range app.Model().Commands {
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

// sourceOf returns the flag or the variable whose value caused an error of kingpin, which does
// not name it. It returns "" if the error is about something else.
func sourceOf(app *kingpin.Application, args []string, err error) string {
	for name, f := range flagsByVariable(app) {
		source, value := "--"+f.Name, valueOf(args, "--"+f.Name)
		if value == "" {
			source, value = name, os.Getenv(name)
		}
		if value == "" {
			continue
		}
		isNamed := source == name && strings.Contains(err.Error(), "--"+f.Name+" ") // by validate
		if wrong := f.Value.Set(value); isNamed || wrong != nil && wrong.Error() == err.Error() {
			return source + ": "
		}
	}
	return ""
}

// valueOf returns the last value of a flag, or "" if no argument is this flag.
func valueOf(args []string, flag string) (value string) {
	for i, arg := range args {
		if v, ok := strings.CutPrefix(arg, flag+"="); ok {
			value = v
		} else if arg == flag && i+1 < len(args) {
			value = args[i+1]
		}
	}
	return value
}

// kubernetesVariable matches what Kubernetes sets for a Service named hmp-exporter.
var kubernetesVariable = regexp.MustCompile(`^HMP_EXPORTER_(SERVICE_.*|PORT(_.*)?)$`)

// unknownVariables returns the variables HMP_EXPORTER_… that no flag has, each with a hint.
func unknownVariables(app *kingpin.Application, environ []string) map[string]string {
	known := flagsByVariable(app)
	unknown := make(map[string]string)
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "HMP_EXPORTER_") || known[name] != nil || kubernetesVariable.MatchString(name) {
			continue
		}
		unknown[name] = "see hmp_exporter --help"
		if nearest := config.Nearest(name, slices.Sorted(maps.Keys(known))); nearest != "" {
			unknown[name] = "did you mean " + nearest + "?"
		}
	}
	return unknown
}
