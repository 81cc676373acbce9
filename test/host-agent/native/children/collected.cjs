// SPDX-License-Identifier: Apache-2.0
// Connections to a libvirtd (URI) that nobody closes: each holds sockets until it is collected.
const { readdirSync } = require('node:fs');
const { open } = require(process.argv[2]);

const files = () => readdirSync('/proc/self/fd').length;
const settled = () => new Promise((resolve) => setTimeout(resolve, 50));

async function filesWhileOpen(uri) {
  const held = [];
  for (let i = 0; i < 10; i++) {
    const connection = await open(uri, false, null);
    held.push(connection, await connection.domains());
  }
  return files() + 0 * held.length;
}

async function main() {
  const uri = process.argv[3];
  await (await open(uri, false, null)).close();
  const before = files();
  const during = await filesWhileOpen(uri);
  for (let i = 0; i < 100 && files() > before; i++) {
    global.gc();
    await settled();
  }
  console.log(JSON.stringify({ before, during, after: files() }));
}
main();
