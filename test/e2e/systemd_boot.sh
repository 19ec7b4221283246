#!/bin/sh
# Turns into a machine with systemd as init, which runs only the unit: systemd_boot.sh DIRECTORY
# TestService starts it as the first process of new mount and process namespaces, in its own cgroup. It sees this machine's
# files; changes go to memory. The directory has the program and the unit, or the package, and the files for /etc. The unit
# logs to the standard output.
set -eu
dir=$1

mount --make-rprivate /
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
umount --recursive /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mkdir /run/etc /run/work /run/bin
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
mount --bind /run/bin /usr/local/bin

if [ -e "$dir/hmp-exporter.deb" ]; then
	# Install the package and follow its hmp.yml.
	mkdir /run/usr /run/usr.work /run/var /run/var.work
	mount -t overlay -o lowerdir=/usr,upperdir=/run/usr,workdir=/run/usr.work overlay /usr
	mount -t overlay -o lowerdir=/var,upperdir=/run/var,workdir=/run/var.work overlay /var
	dpkg --no-triggers --install "$dir/hmp-exporter.deb" # listing manual pages takes long
	cat "$dir/hmp.yml" >/etc/hmp_exporter/hmp.yml
	install -m 0640 -g hmp_exporter "$dir/token" /etc/hmp_exporter/secrets/playout.token
	cat "$dir/default" >/etc/default/hmp_exporter
else
	# Follow the README beside the unit.
	groupadd --system --force hmp_exporter
	useradd --system --gid hmp_exporter --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hmp_exporter
	install -m 0755 "$dir/hmp_exporter" /usr/local/bin/
	install -d -m 0755 /etc/hmp_exporter
	install -m 0644 "$dir/hmp.yml" /etc/hmp_exporter/
	install -d -m 0750 -g hmp_exporter /etc/hmp_exporter/secrets
	install -m 0640 -g hmp_exporter "$dir/token" /etc/hmp_exporter/secrets/playout.token
	install -m 0644 "$dir/default" /etc/default/hmp_exporter
	install -D -m 0644 "$dir/hmp_exporter.service" /run/systemd/system/hmp_exporter.service
fi

# This machine has no journal and no targets to wait for.
install -d /run/systemd/system/hmp_exporter.service.d
cat >/run/systemd/system/hmp_exporter.service.d/machine.conf <<CONF
[Unit]
DefaultDependencies=no
Wants=
After=
[Service]
StandardOutput=append:/run/log
StandardError=append:/run/log
CONF
touch /run/log
tail --follow /run/log & # systemd closes its standard output

# In a container systemd does not change the hardware and the kernel.
exec env -i container=test PATH="$PATH" /lib/systemd/systemd --system --unit=hmp_exporter.service --log-target=null --show-status=no
