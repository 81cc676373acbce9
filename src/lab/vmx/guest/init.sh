#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# /init of the Linux guest in the emulated Intel machine. The host reads what comes between the marks.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module parameters; do
	insmod "/modules/$module" $parameters || echo "guest: insmod $module refused"
done < /modules/order
# The host allows the call once it sees this.
echo "@guest ready $(uname -r) $(nproc) CPUs, $(grep -c x2apic /proc/cpuinfo) with x2APIC"
until [ -e /dev/vmcall ]; do sleep 1; done
sleep 1
echo "@guest begin"
yields 50
echo "@guest end $?"
# The host ends it.
sleep 3600
