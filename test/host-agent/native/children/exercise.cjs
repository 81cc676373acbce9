// SPDX-License-Identifier: Apache-2.0
// Every call of the addon on libvirt's test driver, with good and bad arguments, for the sanitizers.
const { open } = require(process.argv[2]);

const ended = { resolved: 0, rejected: 0 };

async function attempt(call) {
  try {
    const result = await call();
    ended.resolved++;
    return result;
  } catch {
    ended.rejected++;
  }
}

const oddValues = [
  undefined,
  null,
  -1,
  1.5,
  Number.NaN,
  2 ** 40,
  '',
  'x\0y',
  'x'.repeat(5000),
  [],
  [[]],
  {},
  1n << 80n,
];

async function callAll(target, values) {
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(target))) {
    if (name === 'constructor' || name === 'close') continue;
    for (const value of values) await attempt(() => target[name](value, value, value, value));
  }
}

async function domainCalls(domain) {
  await attempt(() => domain.state());
  for (const inactive of [true, false]) await attempt(() => domain.xml(inactive));
  for (const affect of ['current', 'live', 'config', 'live+config']) {
    await attempt(() => domain.setMetadata('urn:vmcall:test', 'test', '<exercise/>', affect));
    await attempt(() => domain.metadata('urn:vmcall:test', affect));
    await attempt(() => domain.setMetadata('urn:vmcall:test', 'test', null, affect));
    await attempt(() => domain.attachDevice('<hostdev/>', affect));
    await attempt(() => domain.detachDevice('<hostdev/>', affect));
    await attempt(() => domain.vcpuPins(affect));
    await attempt(() => domain.pinVcpu(0, [0, 3, 5], affect));
    await attempt(() => domain.emulatorPin(affect));
    await attempt(() => domain.pinEmulator([1], affect));
    await attempt(() => domain.schedulerParameters(affect));
    for (const weight of [40, 40n, 2 ** 40, -1, true, 'forty'])
      await attempt(() => domain.setSchedulerParameters({ weight }, affect));
  }
  await attempt(() => domain.vcpus());
  await attempt(() => domain.stats(['state', 'vcpu', 'block', 'iothread', 'vm']));
  for (const operation of ['suspend', 'resume', 'destroy', 'start', 'undefine'])
    await attempt(() => domain[operation]());
}

async function main() {
  let events = 0;
  for (let round = 0; round < 3; round++) {
    const connection = await open('test:///default', false, () => events++);
    await callAll(connection, oddValues);
    const domain = await connection.domainByName('test');
    await callAll(domain, oddValues);
    await attempt(() => domain.start());
    await domainCalls(domain);
    await attempt(() => connection.capabilities());
    await attempt(() => connection.domainById(1));
    await attempt(() => connection.domainByUuid('6695eb01-f6a4-8304-79aa-97f2502e193f'));
    await attempt(() => connection.stats(['state']));
    // Handles closed with calls of theirs under way, and calls whose answer comes after the close.
    const late = [domain.state(), connection.domains(), connection.domainByName('test')].map((call) =>
      attempt(() => call),
    );
    domain.close();
    await connection.close();
    await Promise.all(late);
    await attempt(() => domain.state());
    await attempt(() => connection.domains());
  }
  for (const value of oddValues) await attempt(() => open(value, value, value));
  await attempt(() => open('test:///default', false, oddValues));
  await attempt(() => open('no-such-driver:///', false, () => {}));
  global.gc();
  console.log(JSON.stringify({ ...ended, events: events > 0 }));
}
main();
