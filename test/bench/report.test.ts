import { describe, expect, it } from 'vitest';
import { rowTable, toRows } from '../../scripts/bench/report.ts';
import type { Sample } from '../../scripts/bench/run-rounds.ts';
import type { Scenario } from '../../scripts/bench/scenario.ts';
import type { ServerSpec } from '../../scripts/bench/server.ts';
import { median } from '../../src/bench/report.ts';

const spec = (name: string, product: ServerSpec['product']): ServerSpec => ({
  name,
  product,
  command: '',
  args: () => [],
  env: {},
});
const specs = [
  spec('serve-model', 'serve-model'),
  spec('llama-server, 1 thread', 'llama-server'),
  spec('llama-server, 2 threads', 'llama-server'),
];
const scenario = (better: 'higher' | 'lower', goal: number): Scenario => ({
  name: 's',
  measures: [{ title: 'it', unit: better === 'higher' ? 'tokens/s' : 'ms', better, goal: { mini: goal } }],
  run: async () => [],
});
const samples = (server: string, values: readonly Sample['value'][]): Sample[] =>
  values.map((value) => ({ scenario: 's', measure: 0, server, value }));
const all = [
  ...samples('serve-model', [90, 110, 100]),
  ...samples('llama-server, 1 thread', [50, 60, 55]),
  ...samples('llama-server, 2 threads', [200, 10, 80]),
];

describe('the table of the benchmark', () => {
  it('compares medians with the better variant of the peer', () => {
    expect(toRows('mini', [scenario('higher', 1.5)], specs, all)).toEqual([
      { title: 'it', own: '100 tokens/s', peer: '80.0 tokens/s (2 threads)', ratio: '1.25x', goal: '>= 1.50x, missed' },
    ]);
    expect(toRows('mini', [scenario('lower', 2)], specs, all)).toEqual([
      { title: 'it', own: '100 ms', peer: '55.0 ms (1 thread)', ratio: '1.82x', goal: '<= 2.00x, met' },
    ]);
  });

  it('leaves a variant out that failed once, and says why when all did', () => {
    const failed = [
      ...samples('serve-model', [90, 'failed: no answer']),
      ...samples('llama-server, 1 thread', [50]),
      ...samples('llama-server, 2 threads', [20, 'failed: gone']),
    ];
    expect(toRows('mini', [scenario('lower', 2)], specs, failed)).toEqual([
      { title: 'it', own: 'failed: no answer', peer: '50.0 ms (1 thread)', ratio: '', goal: '<= 2.00x' },
    ]);
  });

  it('has no columns for a peer that was not there', () => {
    const alone = toRows('mini', [scenario('lower', 2)], specs.slice(0, 1), all);
    expect(rowTable(alone).split('\n')[0]).toBe('| scenario | serve-model | goal     |');
  });

  it('takes the middle of an even number of rounds', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
  });
});
