// SPDX-License-Identifier: Apache-2.0
// A call under way keeps the process alive until it has ended.
const { open } = require(process.argv[2]);

open('test:///default', false, null)
  .then((connection) => connection.domainByName('test'))
  .then((domain) => domain.state())
  .then(({ state }) => console.log(state));
