#!/bin/sh
# dpkg passes "remove", rpm the number of remaining versions. An upgrade does not stop the service.
set -eu
if [ -d /run/systemd/system ] && { [ "$1" = remove ] || [ "$1" = 0 ]; }; then
	systemctl disable --now hmp_exporter.service
fi
