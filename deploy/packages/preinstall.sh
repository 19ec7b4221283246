#!/bin/sh
# Makes the user and the group of the service, before files need them. Both may exist.
set -eu
getent group hmp_exporter >/dev/null || groupadd --system hmp_exporter
getent passwd hmp_exporter >/dev/null ||
	useradd --system --gid hmp_exporter --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hmp_exporter
