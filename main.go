// Command hmp_exporter watches sessions and API keys on Haivision Media Platforms (HMP) for
// Prometheus. See README.md.
package main

import (
	"os"
	"runtime"

	"hmp_exporter/internal/app"
)

// The kernel delivers SIGTERM to the main thread, and a thread that waits for a disk that hangs does
// not take it. So the main thread runs only the main goroutine, which opens no file while the
// program serves.
func init() { runtime.LockOSThread() } //nolint:gochecknoinits // only an init is certain to run on the main thread

func main() { os.Exit(app.Run(os.Args[1:])) }
