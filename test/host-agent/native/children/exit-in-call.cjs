// SPDX-License-Identifier: Apache-2.0
// process.exit() while more calls are stuck in a stopped libvirtd (URI, its pid) than there are threads.
const { open } = require(process.argv[2]);
const [uri, pid] = process.argv.slice(3);

async function main() {
  const connection = await open(uri, false, () => {});
  const domain = await connection.domainByName('test');
  process.kill(Number(pid), 'SIGSTOP');
  for (let i = 0; i < 40; i++) domain.xml(false).catch(() => {});
  setTimeout(() => process.exit(0), 100);
}
main();
