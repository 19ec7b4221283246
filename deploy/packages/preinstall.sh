#!/bin/sh
# The user of the service, before there are files of its group.
set -eu
getent passwd hmp_exporter >/dev/null ||
	useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hmp_exporter
