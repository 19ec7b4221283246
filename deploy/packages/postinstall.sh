#!/bin/sh
# A first installation starts nothing: there is no HMP to watch yet. An upgrade restarts what runs.
set -eu
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart hmp_exporter.service
fi
