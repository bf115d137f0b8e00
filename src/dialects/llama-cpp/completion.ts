import { z } from 'zod';
import { isJsonObject } from '../../contract/json.ts';
import type { Dialect, WholeAnswer } from '../dialect.ts';
import { ignoredFields, ignoredSamplers } from '../shared/ignored-samplers.ts';
import { openaiError } from '../shared/openai-error.ts';
import { forChoice } from '../shared/sampling.ts';
import { optional, validate } from '../shared/validate.ts';
import { encoder, wholeChoice } from './answer.ts';
import { ignoredOptions, type LlamaCall, llamaFields, toLlamaCall, toOptions } from './fields.ts';
import { readPrompts, withImageData } from './prompts.ts';

const maxChoices = 128;

/** llama.cpp's server README, "POST /completion". */
export const completionBody = z.looseObject({
  ...llamaFields,
  prompt: optional(z.json()),
  image_data: optional(z.json()),
  /** Below 0 is greedy too, and there is no highest. */
  temperature: optional(z.number()),
  n_cmpl: optional(z.int().min(1).max(maxChoices)),
  /** The same under OpenAI's name. */
  n: optional(z.int().min(1).max(maxChoices)),
});

function parse(body: unknown): LlamaCall {
  const wire = validate(completionBody, body);
  const { temperature } = wire;
  const options = toOptions({ ...wire, temperature: temperature === undefined ? undefined : Math.max(0, temperature) });
  const choices = wire.n_cmpl ?? wire.n ?? 1;
  const prompts = readPrompts(wire.prompt).map((prompt) => withImageData(prompt, wire.image_data));
  const generations = prompts.flatMap((prompt) =>
    Array.from({ length: choices }, (_, choice) => forChoice({ ...options, prompt }, choice)),
  );
  const warnings = isJsonObject(body) ? [...ignoredFields(body, ignoredOptions), ...ignoredSamplers(body)] : [];
  return toLlamaCall(wire, generations, warnings);
}

/** POST /completion: a raw completion in llama.cpp's own form. Several prompts or choices are answered by a list. */
export const llamaCompletion: Dialect<LlamaCall, WholeAnswer> = {
  name: 'llama-completion',
  format: 'sse',
  idPrefix: 'completion-',
  parse,
  whole(call, answer, results) {
    const choices = results.map((result, index) => wholeChoice(call, answer, result, index));
    const [only] = choices;
    return only !== undefined && choices.length === 1 ? only : choices;
  },
  encoder,
  error: openaiError,
};
