#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# /init of a machine with UEFI. At its first boot the firmware has no keys and takes what it is given; at the second it
# has Secure Boot on, and the kernel has locked itself down. What is found goes to the console, a line `found NAME VALUE`
# each.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec > /dev/console 2>&1
while read -r module parameters; do
	insmod "/modules/$module" $parameters
done < /modules/order
variables=/sys/firmware/efi/efivars
mount -t efivarfs efivarfs "$variables" || poweroff -f

# UEFI specification: EFI_GLOBAL_VARIABLE, EFI_IMAGE_SECURITY_DATABASE_GUID. The platform's key comes last: it ends the
# set-up in which the others need no proof.
global=8be4df61-93ca-11d2-aa0d-00e098032b8c
if [ "$(tail -c 1 "$variables/SecureBoot-$global" | od -An -tu1 | tr -d ' ')" != 1 ]; then
	cat /keys/db > "$variables/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
	cat /keys/KEK > "$variables/KEK-$global"
	cat /keys/PK > "$variables/PK-$global"
	echo "found enrolled $?"
	reboot -f
fi

found() { echo "found $1 $(cat "$2")"; }
mount -t securityfs securityfs /sys/kernel/security
found lockdown /sys/kernel/security/lockdown
found taintedBefore /proc/sys/kernel/tainted
insmod /driver/unsigned.ko
echo "found unsigned $?"
found taintedByRefusal /proc/sys/kernel/tainted
insmod /driver/signed.ko
echo "found signed $?"
found tainted /proc/sys/kernel/tainted
echo "found claim $(vmcall-claim try 1 halt)"
poweroff -f
