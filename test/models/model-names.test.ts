import { describe, expect, it } from 'vitest';
import { findByName, type ModelNames } from '../../src/contract/model-names.ts';

const models: readonly ModelNames[] = [
  { id: 'a', aliases: ['coder', 'owner/repo/a'], path: '/m/a.gguf' },
  { id: 'b:latest', aliases: [], path: '/m/b.gguf' },
  { id: 'b', aliases: ['a'], path: '/m/other/b.gguf' },
  { id: 'c.gguf', aliases: [], path: '/m/c.gguf' },
  { id: 'coder:7b', aliases: [], path: '/m/coder.gguf' },
];

describe('findByName', () => {
  it.each([
    ['a', '/m/a.gguf'],
    ['coder', '/m/a.gguf'],
    ['owner/repo/a', '/m/a.gguf'],
    ['/m/a.gguf', '/m/a.gguf'],
    // As clients of Ollama write it.
    ['a:latest', '/m/a.gguf'],
    ['coder:latest', '/m/a.gguf'],
    ['a.gguf', '/m/a.gguf'],
    ['a.GGUF:latest', '/m/a.gguf'],
    ['owner/repo/a.gguf', '/m/a.gguf'],
    // What stands there literally goes first.
    ['b:latest', '/m/b.gguf'],
    ['b', '/m/other/b.gguf'],
    ['c.gguf', '/m/c.gguf'],
    ['coder:7b', '/m/coder.gguf'],
    ['c', undefined],
    ['a:7b', undefined],
    ['', undefined],
    [':latest', undefined],
    ['A', undefined],
  ])('takes %j for the model at %s', (name, path) => {
    expect(findByName(name, models, (model) => model)?.path).toBe(path);
  });
});
