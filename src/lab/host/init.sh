#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# /init of L1, the host under test: load the modules, wait to be told what to do, take a root, and hand over to the
# script that the lab wrote for this run.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm /dev/hugepages
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t hugetlbfs hugetlbfs /dev/hugepages

# Started with maxcpus=1: see turns.c.
for cpu in /sys/devices/system/cpu/cpu[1-9]*; do
	[ "$(cat "$cpu/online")" = 0 ] || continue
	turns &
	echo 1 > "$cpu/online" || echo "lab: ${cpu##*/} does not start"
	kill $!
done

# From here on what the kernel says may be about what is tested.
echo '<4>lab: loading modules' > /dev/kmsg
while read -r module parameters; do
	# kvm-amd and kvm-intel: the one that does not fit this CPU refuses, as it should.
	insmod "/modules/$module" $parameters || echo "lab: insmod $module refused"
done < /modules/order

mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing

port() {
	for entry in /sys/class/virtio-ports/*; do
		[ "$(cat "$entry/name")" = "$1" ] && echo "/dev/${entry##*/}"
	done
}
# The lab may save the machine here and restore it, for other runs too: from here on the clock may stand still.
exec 3< "$(port vmcall.orders)"
echo '{"type":"waiting","stage":"booted"}' > "$(port vmcall.events)"
IFS=$(printf '\t') read -r now archive start <&3
exec 3<&-
date -s "@$now" > /dev/null

mkdir /machine
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose root /machine ||
	{ echo "lab: no 9p root"; poweroff -f; }
if [ "$archive" = - ]; then
	mount --move /machine /root
	mount -t tmpfs -o size=2g tmpfs /root/run
	mount -t tmpfs -o size=64m tmpfs /root/var/log
	mkdir -p /root/run/lab
else
	# QEMU does not save a machine that has 9p mounted.
	mount -t tmpfs -o size=2g tmpfs /root
	(cd /root && cpio -idmu < "/machine$archive") 2> /dev/null || echo "lab: $archive is not whole"
	cd /root && mkdir -p proc sys dev tmp run/lab etc/libvirt var/lib/libvirt var/lib/dbus var/cache/libvirt var/log
	ln -s /run var/run
	cp "/machine$start" run/lab/start.sh
	start=/run/lab/start.sh
	cd /
	umount /machine || echo "lab: the machine's root stays mounted"
fi
for folder in proc sys dev; do mount --move "/$folder" "/root/$folder"; done
exec switch_root /root /bin/sh "$start"
