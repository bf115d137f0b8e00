import { describe, expect, it } from 'vitest';
import { type BannerFacts, bannerLines } from '../../src/cli/banner.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { completeProfile, readModelProfile } from '../../src/models/profile.ts';

const loaded = {
  vocabulary: {
    size: 2048,
    bosText: '',
    eosText: '<|im_end|>',
    addsBos: false,
    addsEos: false,
    controlTexts: [],
    infill: undefined,
  },
  contextSize: 4096,
  slots: 4,
  embeddingSize: 192,
};
const demo = completeProfile(await readModelProfile(bundledModelPath), loaded);
const facts: BannerFacts = {
  version: '1.2.3',
  profile: demo,
  device: 'CPU (AVX2), 2 threads',
  url: 'http://127.0.0.1:8080',
  needsKey: false,
  generates: true,
  contextLeftOpen: true,
};

describe('bannerLines', () => {
  it('say what is served and how to try it, in ten lines at most', () => {
    const lines = bannerLines(facts);
    expect(lines).toEqual([
      'serve-model 1.2.3 serves serve-model-demo (llama, 3.0M parameters, Q8_0, 3.3 MB)',
      '  device   CPU (AVX2), 2 threads',
      '  context  4096 tokens in each of 4 slots',
      '  address  http://127.0.0.1:8080',
      '  This is the bundled demo model. For real work: serve-model MODEL.gguf',
      'Try it:',
      '  curl http://127.0.0.1:8080/v1/chat/completions -H "content-type: application/json" \\',
      `    -d '{"messages": [{"role": "user", "content": "Hello!"}]}'`,
    ]);
    expect(lines.length).toBeLessThanOrEqual(10);
  });

  it.each([
    ['embeddings', 1, '/v1/embeddings', '{"input": "Hello!"}'],
    ['ranks', 4, '/v1/rerank', '{"query": "cats", "documents": ["They purr.", "They bark."]}'],
  ])('suggest %s where nothing is generated', (_, pooling, path, body) => {
    const profile = { ...demo, architecture: 'bert', metadata: { 'bert.pooling_type': pooling } };
    const lines = bannerLines({ ...facts, profile, generates: false });
    expect(lines).toContain('  context  inputs of up to 4096 tokens');
    expect(lines.slice(-2)).toEqual([
      `  curl http://127.0.0.1:8080${path} -H "content-type: application/json" \\`,
      `    -d '${body}'`,
    ]);
  });

  it('name every alias, leave out what the file does not tell, and count one slot', () => {
    const profile = {
      ...demo,
      id: 'main',
      aliases: ['second'],
      path: '/m/x.gguf',
      parameters: undefined,
      quantization: undefined,
      slots: 1,
    };
    expect(bannerLines({ ...facts, profile }).slice(0, 5)).toEqual([
      'serve-model 1.2.3 serves main, second (llama, 3.3 MB)',
      '  device   CPU (AVX2), 2 threads',
      '  context  4096 tokens in each of 1 slot',
      '  address  http://127.0.0.1:8080',
      'Try it:',
    ]);
  });

  it('tell how to get the context that the model was trained for', () => {
    const context = (change: Partial<BannerFacts>) =>
      bannerLines({ ...facts, profile: { ...demo, trainedContextSize: 262_144 }, ...change })[2];
    expect(context({})).toBe('  context  4096 tokens in each of 4 slots, trained for 262144: --ctx-size 262144');
    expect(context({ contextLeftOpen: false })).toBe('  context  4096 tokens in each of 4 slots');
  });

  it('give the address and the key that curl needs', () => {
    const curl = (change: Partial<BannerFacts>) =>
      bannerLines({ ...facts, ...change }).find((line) => line.includes('curl'));
    expect(curl({ url: 'http://10.0.0.7:80' })).toContain('curl http://10.0.0.7:80/v1');
    expect(curl({ needsKey: true })).toContain(' -H "authorization: Bearer $API_KEY" ');
  });

  it('stand on their own lines whatever the file calls itself', () => {
    const profile = { ...demo, id: 'x\n  address  http://evil', architecture: 'a\u001b[1A', quantization: 'q\u009b2K' };
    expect(bannerLines({ ...facts, profile })[0]).toBe(
      'serve-model 1.2.3 serves x\\n  address  http://evil (a\\u001b[1A, 3.0M parameters, q\\u009b2K, 3.3 MB)',
    );
  });
});
