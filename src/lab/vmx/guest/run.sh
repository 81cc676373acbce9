#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boots the Linux guest in QEMU, switches the call on for it as the host's administrator would, and prints what it said
# and what KVM counted.
said=/tmp/guest
: > "$said"
qemu-system-x86_64 -machine microvm,accel=kvm,rtc=on,isa-serial=on -cpu host -smp 2 -m 256 \
	-nodefaults -no-user-config -nographic -no-reboot -serial "file:$said" \
	-kernel /guest/vmlinuz -initrd /guest/initramfs \
	-append 'console=ttyS0 reboot=t panic=-1 rdinit=/init mitigations=off nokaslr nowatchdog tsc=reliable loglevel=4' &
qemu=$!
until vm=$(ls -d "/sys/kernel/kvm/$qemu"-* 2> /dev/null); do
	kill -0 "$qemu" || exit 1
	sleep 1
done
echo 1 > "$vm/vcpu_yield"
until grep -q '^@guest end' "$said"; do
	kill -0 "$qemu" 2> /dev/null || break
	sleep 1
done
tr -d '\r' < "$said" | sed -n 's/^@guest ready/# guest ready/p'
for counter in "$vm"/vcpu_yield*; do echo "# ${counter##*/}=$(cat "$counter")"; done
tr -d '\r' < "$said" | sed '1,/^@guest begin/d; /^@guest end/,$d'
kill "$qemu"
wait "$qemu"
grep -q '^@guest end 0' "$said"
