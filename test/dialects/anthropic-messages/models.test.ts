import { expect, it } from 'vitest';
import type { ModelProfile } from '../../../src/contract/model.ts';
import { toModelInfo, toModelList } from '../../../src/dialects/anthropic-messages/models.ts';

const profile: ModelProfile = {
  id: 'a',
  aliases: [],
  path: '/models/a.gguf',
  created: 1_700_000_000,
  architecture: 'qwen2',
  sizeBytes: 1000,
  parameters: 500,
  quantization: 'Q4_0',
  contextSize: 8192,
  trainedContextSize: 32_768,
  embeddingSize: 64,
  slots: 4,
  chatTemplate: undefined,
  toolTemplate: undefined,
  chatFormat: undefined,
  generates: true,
  vocabulary: {
    size: 10,
    bosText: '',
    eosText: '',
    addsBos: false,
    addsEos: false,
    controlTexts: [],
    infill: undefined,
  },
  recommendedSampling: {},
  metadata: {},
};

const info = (id: string) => ({
  type: 'model',
  id,
  display_name: id,
  created_at: '2023-11-14T22:13:20Z',
  max_input_tokens: 8192,
  max_tokens: 8192,
  capabilities: null,
  lifecycle: 'active',
  deprecated_at: null,
  retires_at: null,
  line: null,
});

it('lists all names on one page in Anthropic’s form', () => {
  expect(
    toModelList([
      { id: 'a', profile },
      { id: 'alias', profile },
    ]),
  ).toEqual({
    data: [info('a'), info('alias')],
    has_more: false,
    first_id: 'a',
    last_id: 'alias',
  });
});

it('lists no models as an empty page', () => {
  expect(toModelList([])).toEqual({ data: [], has_more: false, first_id: null, last_id: null });
});

it('tells one model', () => {
  expect(toModelInfo({ id: 'a', profile })).toEqual(info('a'));
});
