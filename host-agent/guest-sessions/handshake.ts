// SPDX-License-Identifier: Apache-2.0
import { closeCodes } from '../../src/protocol/codes.js';
import { limits } from '../../src/protocol/limits.js';
import type { GuestMessage, HostMessage } from '../../src/protocol/messages.js';
import { commonCapabilities, negotiateVersion, versions } from '../../src/protocol/version.js';
import type { Channel } from '../../src/session/channel.js';
import type { Agreement } from './guest-session.js';

/**
 * Waits for the hello of the guest that was authenticated as `domain`, and closes the channel with the right code
 * if it is not as it should be. `agreed` is called while the hello is handled, so that no message after it is missed.
 */
export function awaitHello(
  channel: Channel<GuestMessage, HostMessage>,
  domain: string,
  agreed: (agreement: Agreement) => void,
): void {
  const timer = setTimeout(
    () => channel.close(closeCodes.helloTimeout, `no hello within ${limits.helloTimeoutMs} ms`),
    limits.helloTimeoutMs,
  );
  channel.once('closed', () => clearTimeout(timer));
  channel.once('message', (message) => {
    clearTimeout(timer);
    const outcome = judgeHello(message, domain);
    if ('code' in outcome) channel.close(outcome.code, outcome.reason);
    else agreed(outcome);
  });
}

function judgeHello(message: GuestMessage, domain: string): Agreement | { code: number; reason: string } {
  if (message.type !== 'hello')
    return { code: closeCodes.badMessage, reason: `${message.type} before the hello` };
  if (message.domain !== domain)
    return {
      code: closeCodes.wrongIdentity,
      reason: 'the hello names another domain than the secret is for',
    };
  const version = negotiateVersion(message.versions);
  if (version === undefined)
    return { code: closeCodes.noCommonVersion, reason: `this host agent speaks ${versions.join(', ')}` };
  return { domain, version, capabilities: commonCapabilities(message.capabilities), agent: message.agent };
}
