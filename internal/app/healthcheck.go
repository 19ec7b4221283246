package app

import (
	"context"

	"hmp_exporter/internal/web"
)

// healthcheck asks the exporter that runs with the same flags, environment and files.
func healthcheck(line *Line) error {
	address := line.HealthURL
	if address == "" {
		location, err := web.NewLocation(line.ExternalURL, line.RoutePrefix)
		if err != nil {
			return err
		}
		if address, err = web.HealthURL(line.Web, location); err != nil {
			return err
		}
	}
	return web.Healthcheck(context.Background(), address)
}
