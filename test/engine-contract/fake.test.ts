import { createFakeVocabulary } from '../../src/engine/fake/vocabulary.ts';
import { createFakeEngine } from '../../src/engine/fake.ts';
import { describeEngineContract } from './suite.ts';

const text = createFakeVocabulary();
const endingPrompt = text.encode('Say hi.');

describeEngineContract(
  'fake',
  async () => ({
    endingPrompt,
    engine: createFakeEngine({
      slots: 3,
      contextSize: 512,
      stepTokens: 64,
      fingerprint: '0123456789abcdef',
      answer: ({ prompt }) => (prompt.join() === endingPrompt.join() ? 'hi' : undefined),
    }),
  }),
  { 'holds a grammar inactive until a directive switches it on': 'the fake says what its script says' },
);
