#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A disk that a PC boots from, made of a root folder of Debian with grub-pc in it, and with who may come in by ssh.
# Wants a mount namespace of its own:
#   unshare --mount make-disk.sh ROOT DISK GIB PUBLIC-KEY NAME ADDRESS NIC-DRIVER \
#       PACKAGES

set -eu

root=$1
disk=$2
gib=$3
key=$4
name=$5
# ADDRESS/PREFIX of the NIC with that driver.
address=$6
driver=$7
# A repository of apt; at /srv/vmcall-packages there.
packages=$8

# What is written to the root folder stays on the disk alone.
layers=$(mktemp -d)
trap 'umount -R "$layers" 2>/dev/null; rmdir "$layers"' EXIT
mount -t tmpfs tmpfs "$layers"
mkdir "$layers/upper" "$layers/work" "$layers/root"
mount -t overlay -o "lowerdir=$root,upperdir=$layers/upper,workdir=$layers/work" overlay "$layers/root"
root=$layers/root

mkdir -p "$root/srv/vmcall-packages"
cp "$packages"/* "$root/srv/vmcall-packages"
rm -f "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
echo "$name" >"$root/etc/hostname"
printf '127.0.0.1 localhost %s\n' "$name" >"$root/etc/hosts"
install -D -m 600 "$key" "$root/root/.ssh/authorized_keys"
cat >"$root/etc/fstab" <<-'END'
	LABEL=root / ext4 defaults,noatime 0 1
END
cat >"$root/etc/systemd/network/50-lab.network" <<-END
	[Match]
	Driver=$driver
	[Network]
	Address=$address
END
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf /lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/"
# What an emulator takes minutes for, and none of this is about.
for unit in apt-daily.timer apt-daily-upgrade.timer man-db.timer e2scrub_reap.service fstrim.timer dpkg-db-backup.timer \
	systemd-networkd-wait-online.service getty@tty1.service; do
	ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
mkdir -p "$root/etc/default/grub.d"
cat >"$root/etc/default/grub.d/lab.cfg" <<-'END'
	GRUB_TIMEOUT=0
	GRUB_DISABLE_OS_PROBER=true
	GRUB_CMDLINE_LINUX_DEFAULT=""
	GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX console=ttyS0 panic=-1"
END
# Until update-grub has run on the machine itself.
cat >"$root/boot/grub/grub.cfg" <<-'END'
	linux /vmlinuz root=LABEL=root ro console=ttyS0 panic=-1 systemd.show_status=yes
	initrd /initrd.img
	boot
END

chroot "$root" grub-mkimage --format=i386-pc --output=/core.img --prefix='(hd0,msdos1)/boot/grub' \
	biosdisk part_msdos ext2 normal configfile linux search search_label echo test sleep reboot halt
core=$(mktemp)
mv "$root/core.img" "$core"

rm -f "$disk"
truncate --size="${gib}G" "$disk"
sectors=$((gib * 2097152 - 2048))
# The first partition's entry, from sector 2048 on, and what makes a master boot record one.
little_endian() { printf '\\%03o' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }
# shellcheck disable=SC2059 # octal escapes
printf "\\200\\376\\377\\377\\203\\376\\377\\377$(little_endian 2048)$(little_endian "$sectors")" |
	dd of="$disk" bs=1 seek=446 conv=notrunc status=none
printf '\125\252' | dd of="$disk" bs=1 seek=510 conv=notrunc status=none
# GRUB 2.06 knows neither of these two features of a new ext4.
mkfs.ext4 -q -F -L root -O '^metadata_csum_seed,^orphan_file' -E offset=1048576,root_owner=0:0 -d "$root" "$disk" \
	"$((gib * 1048576 - 1024))k"
# boot.img loads the sector after its own, diskboot.img there what follows it (grub: boot/i386/pc).
dd if="$root/usr/lib/grub/i386-pc/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
dd if="$core" of="$disk" bs=512 seek=1 conv=notrunc status=none
rm "$core"
