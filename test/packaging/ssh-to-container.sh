#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What Ansible takes for ssh: runs a command in the container whose first process is "the host". Options are ignored.

while :; do
	case $1 in
	-[BbcDEeFIiJLlmOopQRSWw]) shift 2 ;;
	-*) shift ;;
	*) break ;;
	esac
done
leader=$1
shift
exec nsenter --target "$leader" --mount --uts --ipc --net --pid --root --wd \
	/usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	/bin/sh -c "cd /root && $*"
