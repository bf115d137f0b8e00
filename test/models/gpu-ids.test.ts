import { describe, expect, it } from 'vitest';
import { checkGpuIds } from '../../src/models/gpu-ids.ts';

const two = ['NVIDIA A', 'NVIDIA B'];

describe('checkGpuIds', () => {
  it.each<[string, readonly number[], readonly string[]]>([
    ['no ids', [], two],
    ['some of them', [1], two],
    ['all of them in any order', [1, 0], two],
    ['anything without a GPU', [3], []],
  ])('takes %s', (_, ids, devices) => {
    expect(() => checkGpuIds(ids, devices)).not.toThrow();
  });

  it('refuses one that is not there', () => {
    expect(() => checkGpuIds([0, 2], two)).toThrow(
      'There is no GPU 2 here. This server sees 0: NVIDIA A, 1: NVIDIA B.',
    );
  });
});
