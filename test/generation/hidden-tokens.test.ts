import { describe, expect, it } from 'vitest';
import { createFakeEngine } from '../../src/engine/fake.ts';
import { hiddenTokens } from '../../src/generation/control-tokens.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';
import { profile } from '../http/support.ts';

const engine = createFakeEngine();
const controls = ['<|im_end|>', '<|im_start|>', '<think>', '</think>', 'no token'];
const vocabulary = { ...profile.vocabulary, controlTexts: controls };

async function hiddenIn(family: string, stopStrings: readonly string[] = []) {
  const format = { ...detectChatFormat(undefined, family), stopStrings };
  const tokens = await hiddenTokens({ engine, format, profile: { ...profile, vocabulary } });
  return tokens.map((token) => Buffer.from(engine.text.bytes(token)).toString());
}

describe('control tokens that a grammar must not take for text', () => {
  it('are those that nobody sees and that end nothing', async () => {
    expect(await hiddenIn('hermes')).toEqual(['<|im_start|>']);
    expect(await hiddenIn('mistral')).toEqual(['<|im_start|>', '<think>', '</think>']);
  });

  it('are not the spelled ends of a turn', async () => {
    expect(await hiddenIn('mistral', ['</think>'])).toEqual(['<|im_start|>', '<think>']);
  });
});
