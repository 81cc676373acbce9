#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Build the packages from WORK/vmcall in the root folder of a Debian release and
# check them.  Wants namespaces of its own (unshare --mount --pid --fork --net):
# nothing is left mounted, nothing is fetched.
#
# Usage: build-in-root.sh ROOT WORK NODE-MODULES PROFILES

set -eu

root=$1
work=$2
modules=$3
profiles=$4

# Nothing of what the build does to the root folder stays.
layers=$(mktemp -d)
mount -t tmpfs tmpfs "$layers"
mkdir "$layers/upper" "$layers/work" "$layers/root"
mount -t overlay -o "lowerdir=$root,upperdir=$layers/upper,workdir=$layers/work" overlay "$layers/root"
root=$layers/root
mkdir -p "$root/build"
mount --bind "$work" "$root/build"
mount --bind --options ro "$modules" "$root/build/vmcall/node_modules"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"

exec chroot "$root" /usr/bin/env -i \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
	DEB_BUILD_PROFILES="$profiles" DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$(nproc)" \
	sh -euc '
		cd /build/vmcall
		dpkg-buildpackage --no-sign --build=binary
		cd ..
		lintian --allow-root --fail-on error --suppress-tags bad-distribution-in-changes-file *.changes
		apt-ftparchive packages . >Packages
	'
