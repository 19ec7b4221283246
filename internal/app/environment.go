package app

import (
	"fmt"
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
		source, value := "--"+f.Name, valueOf(args, f)
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
func valueOf(args []string, f *kingpin.FlagModel) (value string) {
	long, short := "--"+f.Name, "-"+string(f.Short) // without a short name, this ends in a zero
	for i, arg := range args {
		switch {
		case arg == long || arg == short:
			value = strings.Join(args[i+1:min(i+2, len(args))], "") // the next argument, if there is one
		case strings.HasPrefix(arg, long+"="):
			value = arg[len(long)+1:]
		case strings.HasPrefix(arg, short):
			value = arg[len(short):]
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

// variableWarnings returns a warning for each unknown variable.
func (f *flags) variableWarnings() (warnings config.Errors) {
	for _, name := range slices.Sorted(maps.Keys(f.unknownVariables)) {
		warnings = append(warnings, &config.Error{File: "environment", Field: name, Problem: "no flag has this variable; " + f.unknownVariables[name]})
	}
	return warnings
}

// printVariableWarnings prints a warning for each unknown variable. It may be the cause of an error
// of the configuration.
func (f *flags) printVariableWarnings() {
	for _, w := range f.variableWarnings() {
		fmt.Fprintln(os.Stderr, "warning:", w)
	}
}
