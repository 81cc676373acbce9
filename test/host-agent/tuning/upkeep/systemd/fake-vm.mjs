// SPDX-License-Identifier: Apache-2.0
// As QEMU's process looks from outside: its words, and threads of its own by the names that QEMU gives them.
import { readdirSync, writeFileSync } from 'node:fs';

const tasks = readdirSync('/proc/self/task');
for (const [vcpu, task] of tasks.slice(1, 3).entries())
  writeFileSync(`/proc/self/task/${task}/comm`, `CPU ${vcpu}/KVM`);
setInterval(() => {}, 60_000);
