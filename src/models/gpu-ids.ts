import { ServeError } from '../contract/errors.ts';

/** ServeError for a GPU that is not there; without any, ids mean nothing. `devices`: their names for people, in order. */
export function checkGpuIds(ids: readonly number[], devices: readonly string[]): void {
  const unknown = devices.length === 0 ? undefined : ids.find((id) => id >= devices.length);
  if (unknown === undefined) return;
  const known = devices.map((name, id) => `${id}: ${name}`).join(', ');
  throw new ServeError('invalid_request', `There is no GPU ${unknown} here. This server sees ${known}.`, {
    param: 'gpu_ids',
  });
}
