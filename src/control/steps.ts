// SPDX-License-Identifier: Apache-2.0

/** What the host agent does to bring a domain to its desired path. `give-up` takes what is seen for a failure, and so turns the way round. */
export const steps = [
  'allow',
  'tell-vmcall',
  'give-up',
  'tell-injected',
  'tell-poll',
  'tell-pv-kick',
  'allow-hard-isr',
  'forbid',
] as const;
export type Step = (typeof steps)[number];
