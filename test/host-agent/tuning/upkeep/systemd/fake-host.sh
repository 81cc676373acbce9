#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# In the container: files of a NIC that is passed through, and of what else is tuned, where the host agent looks for
# them.  A container may not touch the machine's own.

set -eu

nic=0000:81:00.0
fake=/var/lib/fake
device=/sys/bus/pci/devices/$nic

mkdir -p "$fake/irq/45" "$fake/irq/46"
for irq in 45 46; do
	echo 0-1 >"$fake/irq/$irq/smp_affinity_list"
done
echo 950000 >"$fake/runtime"
cp /proc/sys/kernel/random/boot_id "$fake/boot_id"

for folder in /sys/bus/pci/devices /sys/kernel/irq; do
	mount -t tmpfs tmpfs "$folder"
done
if [ -d /sys/module/kvm/parameters ]; then
	mount -t tmpfs tmpfs /sys/module/kvm/parameters
	echo 200000 >/sys/module/kvm/parameters/halt_poll_ns
fi
mkdir -p "$device/msi_irqs"
echo 0x020000 >"$device/class"
echo -1 >"$device/numa_node"
ln -s ../../../../bus/pci/drivers/vfio-pci "$device/driver"
for irq in 45 46; do
	mkdir "/sys/kernel/irq/$irq"
	echo msix >"$device/msi_irqs/$irq"
	echo "vfio-msix[$((irq - 45))]($nic)" >"/sys/kernel/irq/$irq/actions"
done
mount --bind "$fake/irq" /proc/irq
mount --bind "$fake/runtime" /proc/sys/kernel/sched_rt_runtime_us

# The unit has a /proc of its own.
drop_in=/etc/systemd/system/vmcall-host-agent.service.d
mkdir -p "$drop_in"
cat >"$drop_in/fake.conf" <<END
[Service]
BindPaths=$fake/irq:/proc/irq $fake/runtime:/proc/sys/kernel/sched_rt_runtime_us
BindReadOnlyPaths=$fake/boot_id:/proc/sys/kernel/random/boot_id
END
systemctl daemon-reload
