#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Run a command in the root folder of another Debian release, with a clone of
# this project at /srv/vmcall and its own node_modules, dist, cache and results.
#
# Wants mount and PID namespaces of its own (unshare), so that no mount and no
# process is left of it.
#
# Usage: enter.sh ROOT SHELF CLONE OUTPUT COMMAND...
#
#   SHELF   folder that keeps what every clone has of it: cache and results
#   OUTPUT  folder that keeps this clone's node_modules and dist of that release

set -eu

root=$1
shelf=$2
clone=$3
output=$4
shift 4

project=$root/srv/vmcall
mkdir -p "$project" "$clone/node_modules" "$clone/dist" "$output/node_modules" "$output/dist" \
	"$shelf/cache" "$shelf/state" "$root/root/.cache/vmcall" "$root/root/.local/state/vmcall"

# A mount of its own: ip-netns(8) changes how mounts spread from / on.
mount --rbind "$root" "$root"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount --bind "$clone" "$project"
mount --bind "$output/node_modules" "$project/node_modules"
mount --bind "$output/dist" "$project/dist"
mount --bind "$shelf/cache" "$root/root/.cache/vmcall"
mount --bind "$shelf/state" "$root/root/.local/state/vmcall"
for file in /etc/resolv.conf /etc/hosts; do
	if [ -e "$file" ]; then cp -L "$file" "$root$file"; fi
done

# Not by exec: the first process of a PID namespace inherits those whose parent
# ended (QEMU, of libvirtd), and has to wait for them, as a shell does.
status=0
chroot "$root" /usr/bin/env --chdir=/srv/vmcall "$@" || status=$?
exit "$status"
