#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# /init of L1, the host under test: load the modules, take the machine's own root (read-only, over 9p) as
# ours, and hand over to the script that the lab wrote for this run (kernel parameter vmcall.start).
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

mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose root /root ||
	{ echo "lab: no 9p root"; poweroff -f; }
mount -t tmpfs -o size=2g tmpfs /root/run
mount -t tmpfs -o size=64m tmpfs /root/var/log
mkdir -p /root/run/lab
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
for folder in proc sys dev; do mount --move "/$folder" "/root/$folder"; done

start=$(sed -n 's/.*vmcall\.start=\([^ ]*\).*/\1/p' /root/proc/cmdline)
exec switch_root /root /bin/sh "$start"
