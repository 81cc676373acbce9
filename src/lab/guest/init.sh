#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# /init of L2, the guest: Debian's stock kernel and modules, the NIC on vfio-pci, huge pages, and a loop that
# starts and stops the program under test as the host asks over the virtio-serial port vmcall.supervisor.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/hugepages /dev/shm /run /tmp /var
ln -s /run /var/run
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t hugetlbfs hugetlbfs /dev/hugepages

# No statistics work on the DPDK vCPU (tuned's realtime profiles set this too, less far): each interrupt the guest
# takes there makes some, and once a second it would delay a packet.
echo 600 > /proc/sys/vm/stat_interval

while read -r module parameters; do
	insmod "/modules/$module" $parameters || echo "guest: insmod $module refused"
done < /modules/order

for device in /sys/bus/pci/devices/*; do
	case "$(cat "$device/vendor"):$(cat "$device/device")" in
	0x8086:0x10d3)
		echo vfio-pci > "$device/driver_override"
		echo "${device##*/}" > /sys/bus/pci/drivers_probe
		echo "${device##*/}" > /run/nic
		;;
	esac
done

port() {
	for entry in /sys/class/virtio-ports/*; do
		[ "$(cat "$entry/name")" = "$1" ] && echo "/dev/${entry##*/}"
	done
}
control=$(port vmcall.control)
exec 3<> "$(port vmcall.supervisor)"
echo "ready $(cat /run/nic) $(uname -r)" >&3

program=
bridge=
stop() {
	[ -n "$bridge" ] && kill "$bridge" 2>/dev/null && wait "$bridge" 2>/dev/null
	[ -n "$program" ] && kill -INT "$program" 2>/dev/null && wait "$program"
	status=$?
	program= bridge=
	return "$status"
}
# Registers of the NIC are at the start of its first BAR; each argument is OFFSET=VALUE, or OFFSET|BITS to set some.
poke() {
	read -r base _ < "/sys/bus/pci/devices/$(cat /run/nic)/resource"
	for write in "$@"; do
		address=$((base + ${write%%[=|]*}))
		value=${write##*[=|]}
		case "$write" in *'|'*) value=$((value | $(devmem "$address" 32))) ;; esac
		devmem "$address" 32 "$value" || return
	done
}
# The guest agent: node and the project are those of the machine that runs the lab, read-only, over two layers of 9p.
# Its configuration is where the host left it. Started again when it ends, as systemd would.
agent() {
	address=$1 configuration=$2 node=$3 main=$4
	ip link set lo up && ip link set eth0 up && ip addr add "$address" dev eth0 || return
	mkdir -p /host /run/programs
	mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /host || return
	(umask 077; cat "/host/$configuration" > /run/guest-agent.toml) || return
	mount --bind /bin /run/programs
	for folder in proc sys dev run; do
		mount --rbind "/$folder" "/host/$folder" || return
	done
	while :; do
		chroot /host "$node" "$main" guest-agent --config /run/guest-agent.toml
		sleep 1
	done < /dev/null > /dev/console 2>&1 &
	agent_loop=$! agent_program=${node##*/}
}
# It ends, and its dataplane before it, as when systemd stops its unit.
leave() {
	kill "$agent_loop" && kill -TERM $(pidof "$agent_program") || return
	while pidof "$agent_program" vmcall-dataplane > /dev/null; do sleep 0.1; done
}
# One request a line, one answer a line: `start COMMAND LINE`, `stop`, `bridge`, `agent WORDS`, `leave`,
# `steer MASK`, `poke WRITES`, `signal NAME PROGRAM`, `sh COMMANDS`, `alive`,
# `clock SECONDS`, `poweroff`.
while read -r verb arguments <&3; do
	case "$verb" in
	start)
		stop
		$arguments < /dev/null > /dev/console 2>&1 &
		program=$!
		echo "started $program" >&3
		;;
	bridge)
		# Joins the program's DPDK telemetry to the port vmcall.control.
		vmcall-telemetry --serve "$control" $arguments > /dev/console 2>&1 &
		bridge=$!
		echo "bridged $bridge" >&3
		;;
	agent)
		# By tabs, since paths may have spaces.
		IFS=$(printf '\t')
		set -f
		set -- $arguments
		set +f
		unset IFS
		agent "$@"
		echo "agent $?" >&3
		;;
	leave) leave; echo "left $?" >&3 ;;
	# The time, s since 1970.
	clock) date -s "@$arguments" > /dev/null; echo "clock $?" >&3 ;;
	stop) stop; echo "stopped $?" >&3 ;;
	alive) kill -0 "$program" 2>/dev/null; echo "alive $?" >&3 ;;
	# CPU mask on which interrupts set up from now on begin.
	steer) echo "$arguments" > /proc/irq/default_smp_affinity; echo "steered $?" >&3 ;;
	poke) poke $arguments; echo "poked $?" >&3 ;;
	signal) kill -"${arguments%% *}" $(pidof "${arguments#* }"); echo "signalled $?" >&3 ;;
	sh) echo "sh $(eval "$arguments" 2>&1 | tr '\n' ';')" >&3 ;;
	poweroff) poweroff -f ;;
	*) echo "unknown $verb" >&3 ;;
	esac
done
poweroff -f
