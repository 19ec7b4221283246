#!/bin/sh
# Installs buildah from the distribution's packages, as root or through sudo.
set -eu

packages() {
	"$@" apt-get update
	"$@" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends buildah
}

if ! command -v apt-get >/dev/null; then
	echo "buildah is missing: install it with this system's package manager" >&2
	exit 1
elif [ "$(id -u)" -eq 0 ]; then
	packages
elif command -v sudo >/dev/null; then
	packages sudo
else
	echo "buildah is missing: as root, apt-get install --no-install-recommends buildah" >&2
	exit 1
fi
