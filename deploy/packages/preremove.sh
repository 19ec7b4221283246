#!/bin/sh
# dpkg says "remove", rpm says how many versions are left; in an upgrade the service goes on.
set -eu
if [ -d /run/systemd/system ] && { [ "$1" = remove ] || [ "$1" = 0 ]; }; then
	systemctl disable --now hmp_exporter.service
fi
