#!/bin/sh
# A first installation does not start the service: there is no HMP in its configuration. An upgrade restarts it.
set -eu
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart hmp_exporter.service
fi
