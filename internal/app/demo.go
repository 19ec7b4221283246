package app

import (
	"cmp"
	"fmt"
	"os"
	"time"

	"hmp_exporter/internal/demo"
)

// runDemo serves with simulated HMPs.
func runDemo(f *flags) error {
	d, err := demo.Start()
	if err != nil {
		return err
	}
	defer d.Close()
	f.reloadInterval = cmp.Or(f.reloadInterval, 10*time.Second) // the demo changes its configuration
	ctx, stop := signalContext()
	defer stop()
	return serve(ctx, f, d, os.Stderr, func(url string) {
		fmt.Println(d.Describe())
		fmt.Printf("Open %s/ for the sessions,\n     %[1]s%s for what Prometheus scrapes,\n     %[1]s/probe?target=studio for one target.\nCtrl-C ends the demo.\n", url, f.telemetryPath)
	})
}
