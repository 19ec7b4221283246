// Command hmp_exporter watches sessions of service tokens on Haivision Media
// Platforms (HMP) for Prometheus. See README.md.
package main

import (
	"os"

	"hmp_exporter/internal/app"
)

func main() { os.Exit(app.Run(os.Args[1:])) }
