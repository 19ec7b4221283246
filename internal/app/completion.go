package app

import (
	"os"

	"hmp_exporter/config"
)

// targetNames completes TARGET. A configuration with errors completes nothing.
func (f *flags) targetNames() (names []string) {
	c, err := config.Read(f.configFile, os.Getenv)
	if err != nil {
		return nil
	}
	for _, t := range c.Targets {
		names = append(names, t.Name)
	}
	return names
}

// sessionNames completes SESSION with the sessions of TARGET.
func (f *flags) sessionNames() (names []string) {
	c, err := config.Read(f.configFile, os.Getenv)
	if err != nil {
		return nil
	}
	for _, t := range c.Targets {
		if t.Name != f.target {
			continue
		}
		for _, s := range t.Sessions {
			names = append(names, s.Name)
		}
	}
	return names
}
