// Command hmp_exporter watches sessions and API keys on Haivision Media Platforms (HMP) for
// Prometheus. See README.md.
package main

import (
	"os"
	"runtime"

	"hmp_exporter/internal/app"
)

// The kernel delivers SIGTERM to the main thread. If this thread waited for a disk that hangs,
// the program would not end. So it runs the main goroutine only, which opens no file while the
// program serves.
func init() { runtime.LockOSThread() } //nolint:gochecknoinits // only an init is certain to run on the main thread

func main() { os.Exit(app.Run(os.Args[1:])) }
