#!/bin/sh
# The user of the service, before there are files of its group. Either may exist already.
set -eu
getent group hmp_exporter >/dev/null || groupadd --system hmp_exporter
getent passwd hmp_exporter >/dev/null ||
	useradd --system --gid hmp_exporter --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hmp_exporter
