// SPDX-License-Identifier: Apache-2.0
// Real scrapes of a real host agent with a guest over TLS, judged by Prometheus' own promtool.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { projectRoot } from '../../../src/support/paths.js';
import { buildTimeout, builtAddon } from '../native/children.js';
import { domain, type HostBench } from '../support/host-bench.js';
import { startLiveBench } from '../support/live-bench.js';
import type { StandInGuest } from '../support/stand-in-guest.js';
import { checkWithPromtool, evaluate, type Sample, samplesOf } from './promtool.js';

let live: Promise<{ bench: HostBench; guest: StandInGuest }> | undefined;
let bench: HostBench;
let guest: StandInGuest;
beforeAll(() => builtAddon(), buildTimeout);
// One for all tests; vitest lets nobody poll in beforeAll().
beforeEach(async () => {
  live ??= startLiveBench(['metrics']);
  ({ bench, guest } = await live);
  await bench.client.desire(domain.uuid, 'vmcall');
});
afterAll(() => bench.stop());

const scrape = async () => (await fetch(`http://127.0.0.1:${await bench.port('metrics')}/metrics`)).text();

/** A scrape in which these are above nothing. */
async function scrapeWith(...wanted: RegExp[]): Promise<string> {
  let text = '';
  await expect
    .poll(
      async () => {
        text = await scrape();
        return wanted.filter((series) => !text.split('\n').some((line) => series.test(line)));
      },
      { timeout: 20_000 },
    )
    .toEqual([]);
  return text;
}
const full = () =>
  scrapeWith(
    /^vmcall_wake_latency_seconds_count\{.*path="vmcall"\} [1-9]/,
    /^vmcall_kvm_yields_total.* [1-9]/,
    /^vmcall_kvm_doorbell_rings_total.* [1-9]/,
  );

const sampled = (samples: readonly Sample[], name: string, labels: Record<string, string> = {}) =>
  samples.find(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )?.value;

const file = (...path: string[]) => join(projectRoot, 'host-agent', ...path);
const rules = file('prometheus', 'vmcall.rules.yml');

describe('a scrape', () => {
  test('is as promtool wants it', async () => {
    expect(await checkWithPromtool(['check', 'metrics'], await full())).toEqual({ ok: true, said: '' });
  });

  test("holds the guest's figures, in base units", async () => {
    const samples = samplesOf(await full());
    const { uuid, name } = domain;
    expect(sampled(samples, 'vmcall_domain_info', { domain: uuid, name })).toBe(1);
    expect(sampled(samples, 'vmcall_domain_actual_path', { domain: uuid, path: 'vmcall' })).toBe(1);
    const packets = sampled(samples, 'vmcall_received_packets_total', { domain: uuid }) ?? 0;
    expect(packets).toBeGreaterThan(0);
    expect(sampled(samples, 'vmcall_wakes_total', { domain: uuid, reason: 'packet' })).toBe(packets);
    expect(sampled(samples, 'vmcall_wakes_total', { domain: uuid, reason: 'timeout' })).toBe(packets / 50);
    expect(sampled(samples, 'vmcall_waited_seconds_total', { domain: uuid })).toBeCloseTo(
      (packets / 100) * 0.047,
    );
    const latency = (suffix: string, more = {}) =>
      sampled(samples, `vmcall_wake_latency_seconds_${suffix}`, { domain: uuid, path: 'vmcall', ...more }) ??
      0;
    // Of each hundred wakes 49 take 2.02 to 2.98 us and 3 itself, 50 up to 3.98, and one 19.
    expect(latency('bucket', { le: '0.000004' })).toBe(0.99 * latency('count'));
    expect(latency('bucket', { le: '0.000015' })).toBe(0.99 * latency('count'));
    expect(latency('bucket', { le: '0.00002' })).toBe(latency('count'));
    expect(latency('bucket', { le: '+Inf' })).toBe(latency('count'));
    expect(latency('sum') / latency('count')).toBeCloseTo(3.16e-6, 7);
  });

  test('is neither failed nor held up by a guest that hangs; how old its figures are is reported', async () => {
    const report = (text: string) =>
      sampled(samplesOf(text), 'vmcall_guest_report_timestamp_seconds', { domain: domain.uuid });
    await full();
    guest.freeze();
    try {
      const before = report(await scrape());
      // Long enough for a report more if it did not hang.
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const after = await scrape();
      expect(report(after)).toBe(before);
      expect(sampled(samplesOf(after), 'vmcall_guest_session_up')).toBe(1);
    } finally {
      guest.thaw();
    }
    await expect.poll(async () => report(await scrape()), { timeout: 20_000 }).not.toBe(report(await full()));
  });

  test.each([
    ['GET', '/', 404],
    ['GET', '/domains', 404],
    ['POST', '/metrics', 405],
    ['HEAD', '/metrics', 200],
  ])('%s %s: %i', async (method, path, status) => {
    const port = await bench.port('metrics');
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    expect(answer.status).toBe(status);
  });

  test('of one who says it half is cut off', async () => {
    const socket = connect(await bench.port('metrics'), '127.0.0.1');
    socket.write('GET /metrics HTTP/1.1\r\n');
    socket.resume();
    await once(socket, 'close');
  });
});

const panelSchema = z.object({
  title: z.string(),
  type: z.string(),
  targets: z.array(z.object({ expr: z.string() })).optional(),
});
const dashboardSchema = z.object({
  panels: z.array(panelSchema),
  templating: z.object({ list: z.array(z.object({ name: z.string(), query: z.unknown() })) }),
});
const dashboard = dashboardSchema.parse(JSON.parse(readFileSync(file('grafana', 'vmcall.json'), 'utf8')));

/** As Grafana asks it of Prometheus, with all hosts and domains. */
const asked = (expr: string) =>
  expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*').replaceAll('$domain', '.*');
const expressions = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }): [string, string] => [title, asked(expr)]),
);

describe('the dashboard', () => {
  test('asks for nothing that a scrape does not answer', async () => {
    const samples = samplesOf(await full());
    // What is not there in this run, but would be: nothing fell back, nothing was dropped.
    const questions = expressions.map(([, expr]) => ({ expr: `count(${expr}) > bool 0`, value: 1 }));
    expect(questions.length).toBeGreaterThan(20);
    expect(await evaluate(rules, samples, questions)).toBe('');
  }, 60_000);

  test('and such a question is found out', async () => {
    const samples = samplesOf(await full());
    const question = { expr: 'count(vmcall_no_such_metric) > bool 0', value: 1 };
    expect(await evaluate(rules, samples, [question])).toContain('vmcall_no_such_metric');
  });

  test('has variables that a scrape fills', async () => {
    const names = new Set(samplesOf(await full()).map(({ name }) => name));
    const queries = JSON.stringify(dashboard.templating.list).match(/vmcall_\w+/g) ?? [];
    expect(queries.length).toBeGreaterThan(1);
    expect(queries.filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('the alerts', () => {
  test('are as promtool wants them', async () => {
    expect(await checkWithPromtool(['check', 'rules', rules])).toMatchObject({ ok: true });
    const example = file('prometheus', 'prometheus.yml');
    expect(await checkWithPromtool(['check', 'config', '--syntax-only', example])).toMatchObject({
      ok: true,
    });
  });

  const up = { name: 'up', labels: { job: 'vmcall', instance: 'host-1:8647' }, value: 1 };
  const firing = (alert: string) => `count(ALERTS{alertname="${alert}",alertstate="firing"}) > bool 0`;
  const isPath = (labels: Record<string, string>) => labels.path === 'vmcall';
  test.each<[string, (sample: Sample) => number | undefined]>([
    ['VmcallHostAgentDown', ({ name }) => (name === 'up' ? 0 : undefined)],
    ['VmcallLibvirtDown', ({ name }) => (name === 'vmcall_libvirt_up' ? 0 : undefined)],
    [
      'VmcallNotListening',
      ({ name, labels }) => (name === 'vmcall_listening' ? Number(labels.for !== 'guests') : undefined),
    ],
    [
      'VmcallCertificateExpires',
      ({ name }) => (name === 'vmcall_certificate_expiry_timestamp_seconds' ? 20 * 86_400 : undefined),
    ],
    [
      'VmcallPathBlocked',
      ({ name, labels }) => (name === 'vmcall_domain_phase' ? Number(labels.phase === 'blocked') : undefined),
    ],
    // The test's time begins at 0.
    [
      'VmcallGuestReportsStale',
      ({ name }) => (name === 'vmcall_guest_report_timestamp_seconds' ? 100 : undefined),
    ],
    [
      'VmcallWakeLatencyHigh',
      ({ name, labels, value }) =>
        name === 'vmcall_wake_latency_seconds_bucket' && isPath(labels) && Number(labels.le) < 1e-4
          ? value / 2
          : undefined,
    ],
    ['VmcallFallback', ({ name }) => (name === 'vmcall_fallbacks_total' ? 1 : undefined)],
    ['VmcallClockErrors', ({ name }) => (name === 'vmcall_clock_errors_total' ? 1 : undefined)],
    ['VmcallHostAgentSlow', ({ name }) => (name === 'nodejs_eventloop_lag_p99_seconds' ? 1 : undefined)],
  ])('%s fires when it should, and no other', async (alert, change) => {
    const samples = [up, ...samplesOf(await full())].map((sample) =>
      sample.name === 'nodejs_eventloop_lag_p99_seconds' ? { ...sample, value: 0.01 } : sample,
    );
    const none = { expr: 'count(ALERTS{alertstate="firing"}) or vector(0)', value: 0 };
    const future = samples.map((sample) =>
      sample.name.endsWith('_timestamp_seconds') ? { ...sample, value: 1e10 } : sample,
    );
    expect(await evaluate(rules, future, [none])).toBe('');
    const changed = future.map((sample) => ({ ...sample, value: change(sample) ?? sample.value }));
    const one = { expr: 'count(ALERTS{alertstate="firing"})', value: 1 };
    expect(await evaluate(rules, changed, [{ expr: firing(alert), value: 1 }, one])).toBe('');
  });
});
