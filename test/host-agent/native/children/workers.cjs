// SPDX-License-Identifier: Apache-2.0
// Workers, the only ones to load the addon, that are terminated inside of calls stuck in a stopped libvirtd
// (URI, its pid), then workers that end by themselves with everything open.
const { once } = require('node:events');
const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');

const count = 4;

async function work({ addon, uri, rounds }) {
  const { open } = require(addon);
  const connection = await open(uri, false, () => {});
  const domain = await connection.domainByName('test');
  parentPort.postMessage('ready');
  for (let round = 0; round < rounds; round++)
    await Promise.all([domain.xml(false), connection.capabilities(), connection.domains()]);
}

async function start(data) {
  const worker = new Worker(__filename, { workerData: data });
  const ended = once(worker, 'exit');
  await once(worker, 'message');
  return { worker, ended };
}

async function main() {
  const [addon, uri, pid] = process.argv.slice(2);
  const signal = (name) => process.kill(Number(pid), name);
  const stuck = await Promise.all(
    Array.from({ length: count }, () => start({ addon, uri, rounds: Infinity })),
  );
  signal('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 100));
  await Promise.all(stuck.map(({ worker }) => worker.terminate()));
  signal('SIGCONT');
  const busy = await Promise.all(
    Array.from({ length: count }, () => start({ addon, uri, rounds: Infinity })),
  );
  await Promise.all(busy.map(({ worker }) => worker.terminate()));
  const local = { addon, uri: 'test:///default', rounds: 20 };
  const orderly = await Promise.all(Array.from({ length: count }, () => start(local)));
  const codes = await Promise.all(orderly.map(({ ended }) => ended));
  console.log(codes.flat().join(' '));
}

if (isMainThread) main();
else work(workerData);
