#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# /init of the emulated Intel machine: runs /plan, a step after the other, and says on the serial port where each
# begins and ends (serial.ts reads it).
/bin/busybox --install -s /bin
mkdir -p /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
mount -t debugfs debugfs /sys/kernel/debug
export PATH=/bin:/programs
echo 1 > /proc/sys/kernel/printk
echo 100 > /proc/sys/vm/nr_hugepages

# load SET [PARAMETERS]
load() {
	set=/sets/$1
	shift
	for module in kvm_intel kvm irqbypass; do
		grep -q "^$module " /proc/modules && ! rmmod "$module" && echo "@@ refused rmmod $module"
	done
	while read -r module; do
		case "$module" in
		kvm.ko) insmod "$set/$module" halt_poll_ns=0 ;;
		kvm_intel.ko) insmod "$set/$module" "$@" ;;
		*) insmod "$set/$module" ;;
		esac || echo "@@ refused insmod $module"
	done < "$set/order"
}
# run NAME SECONDS COMMAND...
run() {
	name=$1 seconds=$2
	shift 2
	dmesg -c > /dev/null
	echo "@@ begin $name"
	timeout -s KILL "$seconds" "$@" 2>&1
	status=$?
	dmesg -c | sed 's/^/@@ kernel /'
	echo "@@ end $status $name"
}
echo "@@ release $(uname -r)"
# The selftests read their own file by the name they were called by.
cd /programs
. /plan
echo "@@ done"
# Until the port has sent it.
sleep 2
poweroff -f
