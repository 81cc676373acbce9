// SPDX-License-Identifier: Apache-2.0
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { projectRoot } from '../../src/support/paths.js';

const biome = join(projectRoot, 'node_modules', '.bin', 'biome');

/** Who imports what, and words of what the linter says; null: nothing. */
const cases: readonly [file: string, imported: string, says: string | null][] = [
  ['src/support/a.ts', '../protocol/fields.js', 'foundations'],
  ['src/support/b.ts', '../../host-agent/host/host.js', 'foundations'],
  ['src/protocol/a.ts', '../support/errors.js', null],
  ['src/protocol/b.ts', '../session/channel.js', 'host-agent/ or guest-agent/'],
  ['src/protocol/c.ts', '../results/schema.js', 'host-agent/ or guest-agent/'],
  ['src/session/a.ts', '../protocol/fields.js', null],
  ['src/session/b.ts', '../control/schema.js', 'src/top'],
  ['src/control/a.ts', '../protocol/fields.js', null],
  ['src/control/b.ts', '../../host-agent/switch/seen.js', 'host-agent/control'],
  ['src/statistics/a.ts', '../results/schema.js', 'src/comparison'],
  ['src/results/a.ts', '../statistics/random.js', null],
  ['src/results/import/a.ts', '../schema.js', null],
  ['src/results/import/b.ts', '../export/csv.js', null],
  ['src/results/import/c.ts', '../../support/errors.js', null],
  ['src/results/b.ts', '../lab/events.js', 'src/lab/results'],
  ['src/results/c.ts', '../../host-agent/tuning/cstates.js', 'src/lab/results'],
  ['src/results/import/d.ts', '../../lab/events.js', 'src/lab/results'],
  ['src/results/d.ts', '../protocol/histogram.js', 'src/measurement'],
  ['src/energy/a.ts', '../support/errors.js', null],
  ['src/energy/b.ts', '../lab/events.js', 'src/cli or src/bench'],
  ['src/comparison/a.ts', '../results/schema.js', null],
  ['src/comparison/b.ts', '../cli/output.js', 'src/cli'],
  ['src/report/a.ts', '../comparison/compare.js', null],
  ['src/report/b.ts', '../control/schema.js', 'src/results'],
  ['src/measurement/a.ts', '../control/schema.js', null],
  ['src/measurement/b.ts', '../../host-agent/measuring.js', 'src/cli'],
  ['src/top/a.ts', '../session/channel.js', null],
  ['src/top/b.ts', '../../host-agent/live/live-figures.js', 'src/protocol/live.ts'],
  ['src/cli/a.ts', '../../host-agent/run.js', null],
  ['src/cli/b.ts', '../lab/run.js', 'src/developer-cli'],
  ['src/cli/c.ts', '../setup/addon.js', 'src/developer-cli'],
  ['src/cli/d.ts', '../generator/result.js', 'src/developer-cli'],
  ['src/cli/e.ts', '../bench/scale.js', 'src/developer-cli'],
  ['src/cli/f.ts', '../developer-cli/verbs.js', 'src/developer-cli'],
  ['src/setup/a.ts', '../lab/initramfs.js', 'src/lab'],
  ['src/lab/host/a.ts', '../../setup/artifacts.js', null],
  ['src/lab/host/b.ts', '../../cli/whole.js', 'src/developer-cli'],
  ['src/bench/a.ts', '../developer-cli/bench.js', 'src/developer-cli'],
  ['host-agent/host/a.ts', '../../src/support/errors.js', null],
  ['host-agent/host/b.ts', '../tuning/target.js', 'Linux and libvirt'],
  ['host-agent/native/a.ts', '../../src/setup/addon.js', 'Linux and libvirt'],
  ['host-agent/tuning/a.ts', '../native/connection.js', null],
  ['host-agent/tuning/checks/a.ts', '../../host/host.js', null],
  ['host-agent/tuning/checks/b.ts', '../knob.js', null],
  ['host-agent/tuning/b.ts', '../agent.js', 'a library'],
  ['host-agent/tuning/c.ts', '../../src/cli/output.js', 'a library'],
  ['host-agent/tuning/checks/c.ts', '../../switch/kvm.js', 'a library'],
  ['host-agent/tuning/checks/d.ts', '../../../src/results/schema.js', 'a library'],
  ['host-agent/a.ts', '../src/control/schema.js', null],
  ['host-agent/switch/a.ts', '../host/host.js', null],
  ['host-agent/b.ts', '../src/setup/addon.js', 'src/cli'],
  ['host-agent/switch/b.ts', '../tuning/knob.js', 'src/cli'],
  ['host-agent/live/a.ts', '../../src/results/schema.js', 'src/cli'],
  ['host-agent/live/b.ts', '../../guest-agent/path.js', 'src/cli'],
  ['host-agent/web/page/a.ts', '../../../src/protocol/live.js', null],
  ['host-agent/web/page/b.ts', '../server.js', 'in the browser'],
  ['host-agent/web/page/c.ts', '../../../src/protocol/fields.js', 'in the browser'],
  ['guest-agent/a.ts', '../src/session/channel.js', null],
  ['guest-agent/b.ts', '../host-agent/switch/seen.js', 'src/protocol'],
  ['guest-agent/session/a.ts', '../../src/control/schema.js', 'src/protocol'],
  ['guest-agent/program/a.ts', '../../src/lab/plan.js', 'src/protocol'],
];

/** The ways to import a module; the linter must see each. */
const ways = [
  (name: string) => `import { a } from '${name}';\nexport const b = a;\n`,
  (name: string) => `import type { A } from '${name}';\nexport type B = A;\n`,
  (name: string) => `export const a = await import('${name}');\n`,
  (name: string) => `export { a } from '${name}';\n`,
];

const rulesSchema = z.looseObject({ overrides: z.array(z.looseObject({ includes: z.array(z.string()) })) });
const reportSchema = z.looseObject({
  diagnostics: z.array(
    z.looseObject({
      category: z.string(),
      message: z.string(),
      location: z.looseObject({ path: z.string() }),
    }),
  ),
});

/** A house of its own, of files that are not ours, under our rules. */
const house = mkdtempSync(join(tmpdir(), 'vmcall-house-'));
let said: { path: string; category: string; message: string }[] = [];

function add(file: string, text: string): void {
  mkdirSync(dirname(join(house, file)), { recursive: true });
  writeFileSync(join(house, file), text);
}

beforeAll(async () => {
  for (const file of ['biome.json', 'rooms.biome.json', 'test/house/spread-literal.grit'])
    cpSync(join(projectRoot, file), join(house, file));
  for (const [file, imported] of cases)
    ways.forEach((way, at) => {
      add(file.replace('.ts', `${at}.ts`), way(imported));
    });
  add('src/support/circle/a.ts', "import type { B } from './b.js';\nexport interface A { b: B }\n");
  add('src/support/circle/b.ts', "import type { A } from './a.js';\nexport interface B { a: A }\n");
  add('src/support/spread.ts', 'export const a = { ...{ b: 1 }, c: 2 };\nexport const d = { ...a };\n');
  add('src/support/spread-const.ts', 'export const a = { ...({ b: 1 } as const), c: 2 };\n');
  const words = ['lint', '--reporter=json', '--max-diagnostics=none', '.'];
  const { stdout } = await execa(biome, words, { cwd: house, reject: false });
  said = reportSchema
    .parse(JSON.parse(stdout))
    .diagnostics.map(({ category, message, location }) => ({ path: location.path, category, message }));
});
afterAll(() => rmSync(house, { recursive: true }));

/** May know all: it puts the developers' side together. */
const top = 'src/developer-cli';

/** Folders that a rule is for: `a/{b,c}/*` names a/b and a/c. */
function ruledFolders(): string[] {
  const { overrides } = rulesSchema.parse(
    JSON.parse(readFileSync(join(projectRoot, 'rooms.biome.json'), 'utf8')),
  );
  return overrides
    .flatMap(({ includes }) => includes)
    .map((glob) => glob.replace(/(\/\*+)+$/, ''))
    .flatMap((glob) => {
      const [, before = '', names = '', after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(glob) ?? ['', '', glob, ''];
      return names.split(',').map((name) => before + name + after);
    });
}

test('every room has a rule, and a case here that it refuses', () => {
  const hasTypeScript = (room: string) =>
    readdirSync(join(projectRoot, room), { recursive: true }).some((name) => String(name).endsWith('.ts'));
  const inSource = readdirSync(join(projectRoot, 'src')).map((name) => `src/${name}`);
  const inHost = ['host', 'native', 'tuning'].map((name) => `host-agent/${name}`);
  const rooms = [...inSource.filter(hasTypeScript), 'host-agent', ...inHost, 'guest-agent'];
  expect(rooms.filter((room) => !ruledFolders().includes(room))).toEqual([top]);
  const refused = cases.filter(([, , says]) => says !== null).map(([file]) => dirname(file));
  const hasCase = (room: string) => refused.some((folder) => `${folder}/`.startsWith(`${room}/`));
  expect(rooms.filter((room) => !hasCase(room))).toEqual([top]);
});

describe('the linter says where the code belongs when', () => {
  test.each(cases)('%s imports %s', (file, _, says) => {
    for (const at of ways.keys()) {
      const of = said.filter(({ path }) => path === file.replace('.ts', `${at}.ts`));
      const refused = of.filter(({ category }) => category === 'lint/style/noRestrictedImports');
      if (says === null) expect(refused).toEqual([]);
      else expect(refused).toEqual([expect.objectContaining({ message: expect.stringContaining(says) })]);
    }
  });
});

test('the linter refuses a circle of types alone', () => {
  const circle = said.filter(({ category }) => category === 'lint/suspicious/noImportCycles');
  expect(circle.map(({ path }) => path).sort()).toEqual([
    'src/support/circle/a.ts',
    'src/support/circle/b.ts',
  ]);
});

test('the linter refuses a literal spread into a literal, once', () => {
  const spread = said.filter(({ message }) => message.includes('spread into a literal'));
  expect(spread.map(({ path }) => path).sort()).toEqual([
    'src/support/spread-const.ts',
    'src/support/spread.ts',
  ]);
});

test('the linter has nothing to say of this repository', { timeout: 180_000 }, async () => {
  const words = ['check', '--diagnostic-level=error', '.'];
  const { stdout, stderr, exitCode } = await execa(biome, words, { cwd: projectRoot, reject: false });
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
});
