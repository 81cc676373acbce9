// SPDX-License-Identifier: Apache-2.0
import type { Path } from '../../src/protocol/fields.js';
import { RequestError } from '../../src/session/request-error.js';
import { VmcallError } from '../../src/support/errors.js';
import type { GuestSeen } from './describe.js';

const givesItsCpuBack = (path: Path) => path === 'vmcall' || path === 'pv-kick';

/** Asks a guest to switch paths, and notices one that says it did and leaves the path again. */
export class GuestOrder {
  #switchedAt: number | undefined;

  /** @param begun is called before a guest is asked for a path that gives its CPU back */
  constructor(private readonly begun: () => void) {}

  /** What the guest did before counts no more. */
  forget(): void {
    this.#switchedAt = undefined;
  }

  /**
   * @param recentMs a guest that left the path within this time is not asked at once again
   * @throws RequestError; VmcallError GUEST_FELL_BACK, GUEST_CONTRADICTS
   */
  async send(path: Path, guest: GuestSeen | undefined, recentMs: number): Promise<void> {
    if (!guest) throw new RequestError('SESSION_LOST');
    if (givesItsCpuBack(path)) {
      const isRecent = this.#switchedAt !== undefined && performance.now() - this.#switchedAt < recentMs;
      this.forget();
      if (isRecent)
        throw new VmcallError(
          'GUEST_FELL_BACK',
          `the guest switched to ${path} and left it again${guest.health?.reason ? `: ${guest.health.reason.message}` : ''}`,
          '',
        );
      this.begun();
    }
    await guest.session.request('set-path', { path });
    guest.health = await guest.session.request('get-health', {});
    if (guest.health.path !== path)
      throw new VmcallError(
        'GUEST_CONTRADICTS',
        `the guest said that it switched to ${path}, and then that ${guest.health.path ?? 'no path'} is in force`,
        '',
      );
    if (givesItsCpuBack(path)) this.#switchedAt = performance.now();
  }
}
