package app

import (
	"os"
	"slices"

	"hmp_exporter/config"
)

// separateValues separates flags from their values: bash makes three words of --flag=value.
func separateValues(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "=" })
}

// targetNames completes TARGET.
func (f *flags) targetNames() (names []string) {
	for _, t := range f.configuredTargets() {
		names = append(names, t.Name)
	}
	return names
}

// sessionNames completes SESSION with the sessions of TARGET.
func (f *flags) sessionNames() (names []string) {
	for _, t := range f.configuredTargets() {
		if t.Name != f.target {
			continue
		}
		for _, s := range t.Sessions {
			names = append(names, s.Name)
		}
	}
	return names
}

// configuredTargets returns the targets of the configuration, or none if it has errors.
func (f *flags) configuredTargets() []*config.Target {
	c, err := (&config.Source{File: f.configFile, Getenv: os.Getenv}).Load()
	if err != nil {
		return nil
	}
	return c.Targets
}
