// SPDX-License-Identifier: Apache-2.0
import { describe } from 'vitest';
import { supported } from '../../src/setup/supported.js';
import { deployTests } from './deploy-tests.js';

describe.each(supported.distributions)('docs/deploy.md on $codename', deployTests);
