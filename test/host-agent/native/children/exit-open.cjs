// SPDX-License-Identifier: Apache-2.0
// Ends with everything open: connections, one of them listened to, domains, and an event on its way.
const { open } = require(process.argv[2]);

async function main() {
  const listened = await open('test:///default', false, () => {});
  const connections = [listened, await open('test:///default', true, null)];
  globalThis.held = [connections, ...(await Promise.all(connections.map((c) => c.domains())))];
  const [domain] = await listened.domains();
  await domain.suspend();
}
main();
