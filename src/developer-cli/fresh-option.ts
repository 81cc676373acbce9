// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';

/** Of the verbs that run the lab. */
export const freshOption = new Option(
  '--fresh',
  'boot host and guest, whatever is saved of them, and save nothing',
);
