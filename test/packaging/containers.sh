#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Two containers, "host" and "guest", that boot systemd from one root folder, each in layers of its own that are gone
# after it, on a network of their own that leads nowhere.  Wants namespaces of its own:
#   unshare --mount --net --fork --kill-child containers.sh ROOT PACKAGES
#
# PACKAGES is there at /srv/vmcall-packages.  Ends with its standard input.

set -eu

root=$1
packages=$2

mount --make-rprivate /
ip link set lo up
# What libvirt's default network gives a host.
ip address add 192.168.122.1/24 dev lo

nspawns=''
# A container outlives its systemd-nspawn.
# shellcheck disable=SC2086 # several
trap 'for each in $nspawns; do pkill -KILL --parent "$each"; done; kill -KILL $nspawns' EXIT
layers=$(mktemp -d)
mount -t tmpfs tmpfs "$layers"
for side in host guest; do
	mkdir -p "$layers/$side/upper" "$layers/$side/work" "$layers/$side/root"
	mount -t overlay -o "lowerdir=$root,upperdir=$layers/$side/upper,workdir=$layers/$side/work" \
		overlay "$layers/$side/root"
	# Without systemd around it: no registration, no unit of its own. Names are the machine's: others may run such, too.
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 setpriv --pdeathsig KILL systemd-nspawn --quiet --register=no --keep-unit --console=pipe \
		--machine="vmcall-$$-$side" --hostname="$side" --directory="$layers/$side/root" --bind-ro="$packages:/srv/vmcall-packages" --boot \
		</dev/null >"$layers/$side/console" 2>&1 &
	nspawns="$nspawns $!"
	echo "$side $!"
done
cat >/dev/null
