import { describe, expect, it } from 'vitest';
import { checkGpuIds } from '../../src/models/gpu-ids.ts';

const two = ['NVIDIA A', 'NVIDIA B'];

describe('checkGpuIds', () => {
  it.each<[string, readonly number[], readonly string[]]>([
    ['no ids', [], two],
    ['all of them in any order', [1, 0], two],
    ['all of them, twice', [0, 1, 1], two],
    ['the only one', [0], ['NVIDIA A']],
    ['anything without a GPU', [3], []],
  ])('takes %s', (_, ids, devices) => {
    expect(() => checkGpuIds(ids, devices)).not.toThrow();
  });

  it('refuses some of them and tells what works', () => {
    expect(() => checkGpuIds([1], two)).toThrow(
      /all GPUs that it sees \(0: NVIDIA A, 1: NVIDIA B\).*start the server with CUDA_VISIBLE_DEVICES=1 /,
    );
  });

  it('refuses one that is not there', () => {
    expect(() => checkGpuIds([0, 2], two)).toThrow(
      'There is no GPU 2 here. This server sees 0: NVIDIA A, 1: NVIDIA B.',
    );
  });
});
