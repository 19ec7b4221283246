package app

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"hmp_exporter/internal/demo"
)

// runDemo serves with simulated HMPs.
func runDemo(line *Line, w io.Writer) error {
	d, err := demo.Start()
	if err != nil {
		return err
	}
	defer d.Close()
	line.ReloadInterval = cmp.Or(line.ReloadInterval, 10*time.Second) // its configuration changes
	return serve(line, d, func(url string) {
		fmt.Fprintf(w, "%s\nOpen %s/ for the sessions,\n     %[2]s%s for what Prometheus scrapes,\n     %[2]s/probe?target=studio for one target.\nCtrl-C ends the demo.\n",
			d.Describe(), url, line.TelemetryPath)
	})
}
