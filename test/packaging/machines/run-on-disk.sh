#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Boots the system of a disk as a container and runs a shell's commands there: what compiles, which an emulated machine
# takes an hour for.  The disk keeps what they do.  Wants namespaces of its own:
#   unshare --mount --net --fork --kill-child run-on-disk.sh DISK PACKAGES COMMANDS
#
# PACKAGES is there at /srv/to-install.

set -eu

disk=$1
packages=$2
commands=$3

mount --make-rprivate /
ip link set lo up
root=$(mktemp -d)
mount -o loop,offset=1048576 "$disk" "$root"
trap 'umount "$root" || umount --lazy "$root"' EXIT
mkdir -p "$root/srv/to-install"
# Without systemd around it: no registration, no unit of its own.
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 setpriv --pdeathsig KILL systemd-nspawn --quiet --register=no --keep-unit \
	--console=pipe --directory="$root" --bind-ro="$packages:/srv/to-install" --boot </dev/null >/dev/null 2>&1 &
nspawn=$!
inside() {
	nsenter --target "$leader" --mount --uts --ipc --net --pid --root --wd \
		/usr/bin/env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -c "cd /root && $1"
}
until leader=$(pgrep --parent "$nspawn" --exact systemd); do sleep 0.2; done
until case $(inside 'systemctl is-system-running' || true) in running | degraded) true ;; *) false ;; esac; do
	sleep 0.5
done

status=0
inside "$commands" || status=$?
inside 'systemctl poweroff' || true
wait "$nspawn" || true
exit "$status"
