// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';

// Of Debian's package libfaketime.
const library = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

/** The wall clock of one process, which a test sets while it runs, by libfaketime. Its monotonic clock stays the machine's. */
export class WallClock {
  /** Without the library no clock but the machine's own can be set. */
  static readonly isThere = existsSync(library);

  /** @param file whose folder is there */
  constructor(private readonly file: string) {}

  get env(): NodeJS.ProcessEnv {
    return {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** @param offset from the machine's, e.g. `-3d`; `+0`: as that is */
  async set(offset: string): Promise<void> {
    await writeFile(this.file, `${offset}\n`);
  }
}
