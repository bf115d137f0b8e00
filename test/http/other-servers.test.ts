import { describe, expect, it } from 'vitest';
import type { ModelProfile } from '../../src/contract/model.ts';
import type { KnownModel } from '../../src/contract/services.ts';
import { emptyControl } from '../support/route-rows.ts';
import { FakeModels, openDoor, profile } from './support.ts';

const template = '{% if tools %}{{ tools }}{% endif %}';
const coder: ModelProfile = {
  ...profile,
  id: 'owner/repo/coder-Q4_K_M',
  aliases: [],
  path: 'coder-Q4_K_M.gguf',
  parameters: 4.2e9,
  quantization: 'Q4_K_M',
  chatTemplate: template,
};
const vectors: ModelProfile = {
  ...profile,
  id: 'bert',
  aliases: [],
  path: 'bert.gguf',
  architecture: 'bert',
  parameters: undefined,
  quantization: undefined,
  trainedContextSize: 0,
  contextSize: 512,
  metadata: { 'bert.pooling_type': 1, 'general.organization': 'Makers' },
};

class ThreeModels extends FakeModels {
  override known = async (): Promise<KnownModel[]> => [
    { profile, state: 'loaded' },
    { profile: coder, state: 'not-loaded' },
    { profile: vectors, state: 'not-loaded' },
  ];
}
const models = new ThreeModels();
const json = async (path: string, more = {}) => (await openDoor({ more }).app.request(path)).json();

describe('the lists of LM Studio', () => {
  it('tell every model with its state, in the older form', async () => {
    expect(await json('/api/v0/models', { models })).toEqual({
      object: 'list',
      data: [
        {
          id: 'demo',
          object: 'model',
          type: 'llm',
          publisher: '',
          arch: 'llama',
          compatibility_type: 'gguf',
          quantization: 'Q8_0',
          state: 'loaded',
          max_context_length: 4096,
          loaded_context_length: 2048,
          capabilities: [],
        },
        {
          id: 'owner/repo/coder-Q4_K_M',
          object: 'model',
          type: 'llm',
          publisher: 'owner',
          arch: 'llama',
          compatibility_type: 'gguf',
          quantization: 'Q4_K_M',
          state: 'not-loaded',
          max_context_length: 4096,
          capabilities: ['tool_use'],
        },
        {
          id: 'bert',
          object: 'model',
          type: 'embeddings',
          publisher: 'Makers',
          arch: 'bert',
          compatibility_type: 'gguf',
          quantization: '',
          state: 'not-loaded',
          max_context_length: 512,
        },
      ],
    });
  });

  it('tell one model by its id or another name of it', async () => {
    expect(await json('/api/v0/models/team/demo', { models })).toMatchObject({ id: 'demo', state: 'loaded' });
    const missing = await openDoor({ more: { models } }).app.request('/api/v0/models/nobody');
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ error: { code: 'model_not_found' } });
  });

  it('tell every model with its loaded instances, in the newer form', async () => {
    expect(await json('/api/v1/models', { models })).toEqual({
      models: [
        {
          type: 'llm',
          publisher: '',
          key: 'demo',
          display_name: 'demo',
          architecture: 'llama',
          quantization: { name: 'Q8_0', bits_per_weight: 8 },
          size_bytes: 1000,
          params_string: '0.5K',
          loaded_instances: [{ id: 'demo', config: { context_length: 2048, parallel: 4 } }],
          max_context_length: 4096,
          format: 'gguf',
          capabilities: { vision: false, trained_for_tool_use: false },
          description: null,
        },
        expect.objectContaining({
          key: 'owner/repo/coder-Q4_K_M',
          display_name: 'coder-Q4_K_M',
          params_string: '4.2B',
          quantization: { name: 'Q4_K_M', bits_per_weight: 4 },
          loaded_instances: [],
          capabilities: { vision: false, trained_for_tool_use: true },
        }),
        {
          type: 'embedding',
          publisher: 'Makers',
          key: 'bert',
          display_name: 'bert',
          quantization: { name: null, bits_per_weight: null },
          size_bytes: 1000,
          params_string: null,
          loaded_instances: [],
          max_context_length: 512,
          format: 'gguf',
        },
      ],
    });
  });

  it('list what is loaded where nothing else is known', async () => {
    expect(await json('/api/v1/models')).toMatchObject({ models: [{ key: 'demo' }] });
  });
});

describe('what clients of llama.cpp look at', () => {
  it.each(['/props', '/v1/props'])(
    '%s tells the model, its context and its slots, but not where its file lies',
    async (path) => {
      const features = {
        supportsTools: true,
        supportsReasoning: false,
        reasoningStyle: undefined,
        reasoningAlwaysOn: false,
        supportsPreserveThinking: true,
      };
      const served = {
        ...profile,
        path: '/home/me/secret/demo.gguf',
        recommendedSampling: { temperature: 0.6, topK: 20 },
      };
      const door = openDoor({
        more: {
          version: '1.2.3',
          control: {
            ...emptyControl,
            status: () => ({
              active: 'demo',
              loading: [],
              models: [{ profile: served, features, settings: {}, device: 'CPU', memoryBytes: 1, maxContextSize: 1 }],
            }),
          },
        },
      });
      door.models.list = () => [served];
      door.models.resolve = () => served;
      expect(await (await door.app.request(path)).json()).toEqual({
        default_generation_settings: {
          n_ctx: 2048,
          params: { n_predict: -1, max_tokens: -1, seed: -1, temperature: 0.6, top_k: 20 },
        },
        total_slots: 4,
        model_alias: 'demo',
        model_ftype: 'Q8_0',
        model_path: 'demo.gguf',
        modalities: { vision: false, audio: false, video: false },
        endpoint_slots: true,
        endpoint_props: false,
        endpoint_metrics: true,
        chat_template: '',
        chat_template_caps: { supports_tools: true, supports_tool_calls: true, supports_preserve_reasoning: true },
        bos_token: '',
        eos_token: '',
        build_info: 'serve-model 1.2.3',
        is_sleeping: false,
      });
    },
  );

  it('/props says which model is meant and whether it is loaded', async () => {
    const door = openDoor();
    const asked: unknown[] = [];
    door.models.resolve = (name) => {
      asked.push(name);
      return coder;
    };
    const response = await door.app.request('/props?model=coder');
    expect(await response.json()).toMatchObject({ model_path: 'coder-Q4_K_M.gguf', is_sleeping: true });
    expect(asked).toEqual(['coder']);
  });

  it('/props is a 503 while the model is loading', async () => {
    const door = openDoor();
    door.models.current = 'loading';
    expect((await door.app.request('/props')).status).toBe(503);
  });

  const slots = () => [
    {
      model: 'demo',
      slots: [
        { id: 0, state: 'idle' as const, tokens: 0 },
        { id: 1, state: 'decode' as const, tokens: 500, owner: 'ann', sessionId: 'of ann' },
        { id: 2, state: 'prefill' as const, tokens: 70, owner: 'bob', sessionId: 'of bob' },
      ],
    },
  ];

  it('/slots tells what each does, and how full and whose those are that the caller may see', async () => {
    const settings = { apiKeys: [{ key: 'sk-ann', name: 'ann' }] };
    const door = openDoor({ settings, more: { slots } });
    const response = await door.app.request('/slots', { headers: { authorization: 'Bearer sk-ann' } });
    expect(await response.json()).toEqual([
      { id: 0, n_ctx: 2048, is_processing: false, n_prompt_tokens: 0 },
      { id: 1, n_ctx: 2048, is_processing: true, n_prompt_tokens: 500, session_id: 'of ann' },
      { id: 2, n_ctx: 2048, is_processing: true },
    ]);
    expect((await door.app.request('/slots')).status).toBe(401);
  });

  it('/slots?fail_on_no_slot=1 is a 503 while all are busy', async () => {
    const path = '/slots?fail_on_no_slot=1';
    expect((await openDoor({ more: { slots } }).app.request(path)).status).toBe(200);
    const busy = () => slots().map((model) => ({ ...model, slots: model.slots.slice(1) }));
    const response = await openDoor({ more: { slots: busy } }).app.request(path);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
  });
});
