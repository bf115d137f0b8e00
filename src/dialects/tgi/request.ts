import { z } from 'zod';
import { ServeError } from '../../contract/errors.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { OutputShape } from '../../contract/request.ts';
import type { ParsedCall } from '../dialect.ts';
import { defined } from '../shared/defined.ts';
import { ignoredSamplers } from '../shared/ignored-samplers.ts';
import { extensionFields, samplingFields, toRequestOptions } from '../shared/sampling.ts';
import { optional, rule, validate } from '../shared/validate.ts';

export interface TgiCall extends ParsedCall {
  readonly details: boolean;
  /** Candidates per token in `top_tokens`. */
  readonly topTokens: number;
  /** What goes before the answer: the prompt, with `return_full_text`. */
  readonly before: string;
}

const stops = optional(z.array(z.string().max(1000)).max(16));

/** Text Generation Inference's `GenerateParameters`, with LightLLM's -1 for "the rest of the context". */
const parameters = z.looseObject({
  ...samplingFields,
  ...extensionFields,
  temperature: optional(z.number().min(0).max(100)),
  max_new_tokens: optional(
    rule(z.int(), (value) => value === -1 || value >= 1, 'at least 1, or -1 for the rest of the context'),
  ),
  do_sample: optional(z.boolean()),
  stop: stops,
  stop_sequences: stops,
  details: optional(z.boolean()),
  decoder_input_details: optional(z.boolean()),
  return_full_text: optional(z.boolean()),
  top_n_tokens: optional(z.int().min(0).max(20)),
  best_of: optional(z.int().min(1)),
  truncate: optional(z.int().min(0)),
  grammar: optional(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('json'), value: z.json() }),
      z.object({ type: z.literal('json_schema'), value: z.object({ schema: z.json() }) }),
      z.object({ type: z.literal('regex'), value: z.string() }),
    ]),
  ),
});

export const tgiBody = z.object({
  inputs: z.string(),
  model: optional(z.string()),
  parameters: optional(parameters),
});

type Parameters = Partial<z.output<typeof parameters>>;

/** `stream` is said by the path: /generate or /generate_stream. */
export function parse(body: unknown, stream: boolean): TgiCall {
  const { inputs, model, parameters: given } = validate(tgiBody, body);
  const wire: Parameters = given ?? {};
  refuseUnsupported(wire);
  const options = toRequestOptions(wire);
  const topTokens = wire.top_n_tokens ?? 0;
  const details = wire.details ?? false;
  return {
    generations: [
      {
        ...options,
        ...defined({ model, logprobs: stream || details ? { top: topTokens } : undefined }),
        sampling: isGreedy(wire) ? { ...options.sampling, temperature: 0 } : options.sampling,
        prompt: { type: 'text', text: inputs },
        maxTokens: wire.max_new_tokens ?? -1,
        stop: [...(wire.stop ?? []), ...(wire.stop_sequences ?? [])].filter((text) => text !== ''),
        outputShape: toOutputShape(wire.grammar),
      },
    ],
    stream,
    warnings: isJsonObject(given) ? ignoredSamplers(given) : [],
    details,
    topTokens,
    before: wire.return_full_text ? inputs : '',
  };
}

/** Both servers answer greedily unless sampling is asked for, by word or by giving one of its numbers. */
function isGreedy(wire: Parameters): boolean {
  if (wire.do_sample !== undefined) return !wire.do_sample;
  return wire.temperature === undefined && wire.top_k === undefined && wire.top_p === undefined;
}

function refuseUnsupported(wire: Parameters): void {
  const refuse = (name: string, instead: string) => {
    const param = `parameters.${name}`;
    throw new ServeError('unsupported_parameter', `\`${param}\` is not supported. ${instead}`, { param });
  };
  if ((wire.best_of ?? 1) > 1) refuse('best_of', 'Use /v1/completions with `best_of`.');
  if (wire.truncate !== undefined) refuse('truncate', 'Send a shorter prompt: a cut one would be answered wrongly.');
  if (wire.decoder_input_details)
    refuse('decoder_input_details', 'Use /v1/completions with `echo` and `logprobs` for the tokens of the prompt.');
  if (wire.grammar?.type === 'regex') refuse('grammar', 'Send a JSON schema, or GBNF as `grammar` of /v1/completions.');
}

function toOutputShape(grammar: Parameters['grammar']): OutputShape {
  if (!grammar || grammar.type === 'regex') return { type: 'text' };
  return { type: 'json-schema', schema: grammar.type === 'json' ? grammar.value : grammar.value.schema };
}
