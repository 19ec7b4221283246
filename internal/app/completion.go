package app

import (
	"os"

	"hmp_exporter/config"
)

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

// configuredTargets returns nothing for a configuration with errors.
func (f *flags) configuredTargets() []*config.Target {
	c, err := (&config.Source{File: f.configFile, Getenv: os.Getenv}).Load()
	if err != nil {
		return nil
	}
	return c.Targets
}
