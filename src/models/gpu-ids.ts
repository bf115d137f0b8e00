import { ServeError } from '../contract/errors.ts';

/**
 * The library spreads a model over all GPUs that the process sees and takes no choice for one load. So ids that name all
 * of them ask for what happens anyway, and without a GPU they mean nothing; any others would be answered with another
 * placement than was asked for: ServeError, with the way that works. `devices`: names of the GPUs in their order.
 */
export function checkGpuIds(ids: readonly number[], devices: readonly string[]): void {
  const asked = new Set(ids);
  if (asked.size === 0 || devices.length === 0) return;
  const known = devices.map((name, id) => `${id}: ${name}`).join(', ');
  const unknown = [...asked].find((id) => id >= devices.length);
  if (unknown !== undefined) {
    throw new ServeError('invalid_request', `There is no GPU ${unknown} here. This server sees ${known}.`, {
      param: 'gpu_ids',
    });
  }
  if (asked.size === devices.length) return;
  const list = [...asked].sort((a, b) => a - b).join(',');
  throw new ServeError(
    'unsupported_parameter',
    `This server spreads every model over all GPUs that it sees (${known}); one load cannot choose among them. Leave \`gpu_ids\` out, or start the server with CUDA_VISIBLE_DEVICES=${list} (on Vulkan GGML_VK_VISIBLE_DEVICES=${list}).`,
    { param: 'gpu_ids' },
  );
}
