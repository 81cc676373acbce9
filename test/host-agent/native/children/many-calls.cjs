// SPDX-License-Identifier: Apache-2.0
// 10,000 calls; prints what the process holds after the first hundred and at the end.
const { readdirSync } = require('node:fs');
const { open } = require(process.argv[2]);

const holds = () => ({
  files: readdirSync('/proc/self/fd').length,
  threads: readdirSync('/proc/self/task').length,
  memory: process.memoryUsage.rss(),
});

async function round() {
  const connection = await open('test:///default', false, () => {});
  const domain = await connection.domainByName('test');
  await Promise.all([domain.state(), domain.vcpus(), connection.stats(['state']), connection.domains()]);
  await domain.setMetadata('urn:vmcall:test', 'test', '<many/>', 'current');
  await connection.close();
}

async function main() {
  const calls = 8;
  for (let i = 0; i < 200; i++) await round();
  global.gc();
  const before = holds();
  for (let i = 0; i < 10_000 / calls; i++) await round();
  global.gc();
  console.log(JSON.stringify({ before, after: holds() }));
}
main();
