// SPDX-License-Identifier: Apache-2.0
import { RequestError } from '../src/session/request-error.js';
import { VmcallError } from '../src/support/errors.js';
import { MeasurementBroken } from './measurement.js';

/** The dataplane's failures as the protocol has them. */
export async function answered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof VmcallError || error instanceof MeasurementBroken)
      throw new RequestError('DATAPLANE_FAILED', error.message);
    throw error;
  }
}
