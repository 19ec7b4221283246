package app

import (
	"fmt"
	"os"
	"time"

	"hmp_exporter/internal/demo"
)

// The demo probes and reloads this often. The shortest state of its sessions lasts 25 s.
const demoInterval = 10 * time.Second

// runDemo serves with simulated HMPs.
func runDemo(f *flags) error {
	d, err := demo.Start()
	if err != nil {
		return err
	}
	defer d.Close()
	ctx, stop := signalContext()
	defer stop()
	return serve(ctx, f, d, os.Stderr, func(url string) {
		fmt.Println(d.Describe())
		fmt.Printf("Open %s/ for the sessions,\n     %[1]s%s for what Prometheus scrapes,\n     %[1]s/probe?target=studio for one target.\nCtrl-C ends the demo. --log.level=info shows its log.\n", url, f.telemetryPath)
	})
}
