import { z } from 'zod';
import { isJsonObject } from '../../contract/json.ts';
import { ignoredOptions, type LlamaCall, llamaFields, toLlamaCall, toOptions } from '../llama-cpp/fields.ts';
import { ignoredFields, ignoredSamplers } from '../shared/ignored-samplers.ts';
import { optional, validate } from '../shared/validate.ts';

/** llama.cpp's server README, "POST /infill": what editor plug-ins send. */
export const infillBody = z.looseObject({
  ...llamaFields,
  input_prefix: optional(z.string()),
  input_suffix: optional(z.string()),
  input_extra: optional(z.array(z.object({ filename: optional(z.string()), text: z.string() })).max(1000)),
  /** What is already typed after the prefix, usually the start of the line. */
  prompt: optional(z.string()),
});

export function parse(body: unknown): LlamaCall {
  const wire = validate(infillBody, body);
  const prompt = {
    type: 'infill',
    prefix: `${wire.input_prefix ?? ''}${wire.prompt ?? ''}`,
    suffix: wire.input_suffix ?? '',
    extra: (wire.input_extra ?? []).map(({ filename, text }) => ({ name: filename ?? 'tmp', text })),
  } as const;
  const warnings = isJsonObject(body) ? [...ignoredFields(body, ignoredOptions), ...ignoredSamplers(body)] : [];
  return toLlamaCall(wire, [{ ...toOptions(wire), prompt }], warnings);
}
