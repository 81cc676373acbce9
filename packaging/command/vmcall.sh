#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The vmcall command. Node.js is vmcall's own where the distribution's is too old (package vmcall-node).
node=/usr/lib/vmcall/node
[ -x "$node" ] || node=/usr/bin/node
exec "$node" /usr/lib/vmcall/dist/command/vmcall.js "$@"
