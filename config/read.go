package config

import (
	"cmp"
	"fmt"
	"os"
)

// DefaultFile is the configuration file where none is named.
const DefaultFile = "hmp.yml"

// Read loads what a flag and the environment choose: the file, which is [DefaultFile]
// if none was named, or what [FromEnvironment] makes. Two configurations are an error.
func Read(file string, getenv func(string) string) (*Config, error) {
	named := cmp.Or(file, DefaultFile)
	if !InEnvironment(getenv) {
		return Load(named)
	}
	if _, err := os.Stat(named); file != "" || err == nil {
		return nil, fmt.Errorf("there are two configurations, %s and HMP_ variables in the environment: take one away", named)
	}
	return FromEnvironment(getenv)
}
