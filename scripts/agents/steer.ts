import type { Api, Script } from './api.ts';
import { type Json, objects } from './json.ts';

export interface Steered {
  readonly body: Json;
  /** What the answer has to be. A question without the tool, for a title of the session, gets the sentence too. */
  readonly step: 'call' | 'closing';
  /** Calls that were made before. */
  readonly calls: number;
}

/**
 * A request that can be answered in one way only. The tool takes nothing but the script's arguments, in every request
 * alike: the prompt's beginning stays what it was.
 */
export function steer(api: Api, asked: Json, script: Script): Steered {
  const calls = api.results(asked);
  const offered = objects(asked.tools);
  const tools = offered.map((tool) =>
    api.nameOf(tool) === script.tool ? api.withParameters(tool, only(script.arguments)) : tool,
  );
  const isOffered = offered.some((tool) => api.nameOf(tool) === script.tool);
  const step = isOffered && calls < script.calls ? 'call' : 'closing';
  const choice = step === 'call' ? api.forced(script.tool) : api.closed(script.closing);
  const { tool_choice, ...more } = choice;
  return {
    step,
    calls,
    body: { ...asked, ...more, ...(offered.length > 0 && { tools, tool_choice }) },
  };
}

function only(values: Script['arguments']): Json {
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { const: value }])),
    required: Object.keys(values),
    additionalProperties: false,
  };
}
