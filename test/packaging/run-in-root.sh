#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A root shell in a root folder of Debian, which reads commands from standard input; nothing that it does stays.  Wants
# a mount namespace of its own: unshare --mount --pid --fork --kill-child run-in-root.sh ROOT PACKAGES
#
# PACKAGES is there at /srv/vmcall-packages.

set -eu

root=$1
packages=$2

mount --make-rprivate /
layers=$(mktemp -d)
mount -t tmpfs tmpfs "$layers"
mkdir "$layers/upper" "$layers/work" "$layers/root"
mount -t overlay -o "lowerdir=$root,upperdir=$layers/upper,workdir=$layers/work" overlay "$layers/root"
root=$layers/root
mkdir -p "$root/srv/vmcall-packages"
mount --bind "$packages" "$root/srv/vmcall-packages"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/resolv.conf"
# No service starts here.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"

exec chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
	${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} sh
