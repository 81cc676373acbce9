#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs a command on a machine that seems to have RAPL: a package that takes 20 W, whose counter begins again after two
# seconds, and its memory, which takes 5 W.  Wants a mount namespace of its own:
#   unshare --mount with-rapl.sh COMMAND...

set -eu

here=$(dirname "$(realpath "$0")")
mount --make-rprivate /
mount -t tmpfs tmpfs /sys/class
for zone in 'intel-rapl:0 package-0' 'intel-rapl:0:0 dram'; do
	folder=/sys/class/powercap/${zone% *}
	mkdir -p "$folder"
	echo "${zone#* }" >"$folder/name"
	echo 65532610987 >"$folder/max_energy_range_uj"
	echo 0 >"$folder/energy_uj"
done
node "$here/counters.mjs" &
counters=$!
trap 'kill "$counters"' EXIT
"$@"
