#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Boots this machine's own root folder in a container with systemd, twice: what is written lies in a layer that both
# boots have, and is gone after them.  Wants namespaces of its own:
#   unshare --mount --net --fork --kill-child boot.sh PROJECT
#
# PROJECT is a clone of this repository that is compiled.  Prints each boot's nspawn.

set -eu

project=$1
mount --make-rprivate /
layers=$(mktemp -d)
mount -t tmpfs tmpfs "$layers"
mkdir "$layers/upper" "$layers/work" "$layers/root"
mount -t overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" overlay "$layers/root"
root=$layers/root

: >"$root/etc/machine-id"
cp "$project/host-agent/vmcall-host-agent.service" "$root/etc/systemd/system/"
printf '#!/bin/sh\nexec node %s/dist/src/developer-cli/main.js "$@"\n' "$project" >"$root/usr/bin/vmcall"
chmod +x "$root/usr/bin/vmcall"
mkdir -p "$root/etc/vmcall" "$root/var/lib/fake"
printf '[guests]\naddress = "127.0.0.1"\n[libvirt]\nuri = "test:///default"\n' >"$root/etc/vmcall/host-agent.toml"
# What this machine has beside, and none of this is about.
for unit in "$root"/lib/systemd/system/*.timer libvirtd.service libvirt-guests.service docker.service ssh.service \
	cron.service systemd-networkd-wait-online.service; do
	ln -sf /dev/null "$root/etc/systemd/system/${unit##*/}"
done

nspawn=''
trap 'kill -KILL $nspawn' EXIT
for _ in first second; do
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 setpriv --pdeathsig KILL systemd-nspawn --quiet --register=no --keep-unit \
		--console=pipe --machine=kept --directory="$root" --bind-ro="$project:$project" --boot \
		</dev/null >"$layers/console" 2>&1 &
	nspawn=$!
	echo "$nspawn"
	wait "$nspawn" || :
done
