#!/bin/sh
# Installs packages of the distribution, as root or with sudo: install_packages.sh NAME…
set -eu
packages=$*

if ! command -v apt-get >/dev/null; then
	echo "missing packages, install them with the package manager of this system: $packages" >&2
	exit 1
elif [ "$(id -u)" -eq 0 ]; then
	sudo=
elif command -v sudo >/dev/null; then
	sudo=sudo
else
	echo "missing packages, as root run: apt-get install --no-install-recommends $packages" >&2
	exit 1
fi

# shellcheck disable=SC2086 # they are words
{
	$sudo apt-get update
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $packages
}
