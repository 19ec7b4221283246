package app

import (
	"context"

	"hmp_exporter/internal/web"
)

// healthcheck asks the exporter that runs with the same flags, environment and files.
func healthcheck(f *flags) error {
	address := f.healthURL
	if address == "" {
		var err error
		if address, err = web.HealthURL(f.web, f.location); err != nil {
			return err
		}
	}
	return web.Healthcheck(context.Background(), address)
}
