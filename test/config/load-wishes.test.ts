import { expect, it } from 'vitest';
import { adapterWishes, contextWish, loadWish, parseConfig, speculationWish } from '../../src/config.ts';

function serve(argv: readonly string[]) {
  const parsed = parseConfig(argv, {});
  if (parsed.command !== 'serve') throw new Error(parsed.command);
  return parsed.config;
}

it('what a load says itself goes before the flags', () => {
  const flags = ['--ctx-size', '100', '--parallel', '3', '--cache-type-kv', 'q8_0', '--cache-type-v', 'bf16'];
  expect(contextWish(serve(flags))).toEqual({
    contextSize: 100,
    slots: 3,
    cacheType: 'q8_0',
    keyType: undefined,
    valueType: 'bf16',
    fullWindows: false,
    batchSize: 512,
    flashAttention: undefined,
  });
  expect(contextWish(serve(flags), { contextSize: 50, slots: 1, cacheType: 'f32' })).toMatchObject({
    contextSize: 50,
    slots: 1,
    cacheType: 'f32',
    valueType: 'bf16',
  });
  expect(contextWish(serve(flags), { contextSize: 0 }).contextSize).toBe(100);
});

it.each([
  [[], {}, 'off'],
  [['--lookup-decoding'], {}, 'lookup'],
  [['--draft-model', 'small.gguf'], {}, { draftModel: 'small.gguf' }],
  [['--draft-model', 'small.gguf'], { speculation: 'off' as const }, 'off'],
  [['--lookup-decoding'], { speculation: { draftModel: 'own.gguf' } }, { draftModel: 'own.gguf' }],
])('guesses with %j and a load of %j by %j', (flags, own, expected) => {
  expect(speculationWish(serve(flags), own)).toEqual(expected);
});

it('reads where tensors go, and how much of an adapter is added', () => {
  const places = [
    '--override-tensor',
    'blk\\.[0-3]\\.ffn=x=CPU',
    '--cpu-moe',
    '--n-cpu-moe',
    '3',
    '--prefix-cache-mb',
    '2',
  ];
  const { placement, prefixCacheBytes } = loadWish(serve(places), { gpuLayers: 7 });
  expect(placement.tensorPlaces).toEqual([{ pattern: 'blk\\.[0-3]\\.ffn=x', place: 'CPU' }]);
  expect([placement.expertLayers, placement.gpuLayers, prefixCacheBytes]).toEqual(['all', 7, 2 * 1024 * 1024]);
  expect(adapterWishes(serve(['--lora', 'a:b.gguf', '--lora', 'c.gguf:-0.5']))).toEqual([
    { path: 'a:b.gguf', scale: 1 },
    { path: 'c.gguf', scale: -0.5 },
  ]);
});
