import type { PromptOpening } from '../contract/chat-format.ts';
import { ServeError } from '../contract/errors.ts';
import { type ChatPrompt, type GenerationRequest, type Prompt, textOfContent } from '../contract/request.ts';
import type { JobMedium } from '../engine/engine.ts';
import { refuseHopelessPrompt } from './budget.ts';
import { JoinedPrompt } from './joined-prompt.ts';
import { readChatMedia, readMedium, withoutSpareMedia } from './media.ts';
import { withReadTokens } from './read-tokens.ts';
import type { ModelRuntime } from './runtime.ts';

export interface PromptTokens {
  readonly tokens: readonly number[];
  /** undefined: raw text goes on, nothing is parsed. */
  readonly opening: PromptOpening | undefined;
  /** Token positions where others' prompts are likely to part from this one: end of the system part, start of the answer. */
  readonly checkpoints: readonly number[];
  /** What the ids above the vocabulary stand for. */
  readonly media: readonly JobMedium[];
  /** What the client should know although it gets its answer. */
  readonly warnings: readonly string[];
}

/** Renders and tokenizes, without blocking the event loop for long. `read`: see withReadTokens. */
export async function promptTokens(
  runtime: ModelRuntime,
  request: GenerationRequest,
  signal: AbortSignal,
  read: readonly number[] = [],
): Promise<PromptTokens> {
  const { contextSize, vocabulary } = runtime.profile;
  const bos = vocabulary.addsBos && vocabulary.bosToken !== undefined ? [vocabulary.bosToken] : [];
  const tokenize = async (pieces: readonly string[], special: boolean) => {
    const characters = pieces.reduce((sum, piece) => sum + piece.length, 0);
    refuseHopelessPrompt(characters, contextSize, request.maxTokens);
    return runtime.engine.text.tokenize(pieces, { special, signal });
  };
  const { prompt } = request;
  switch (prompt.type) {
    case 'chat': {
      refuseHopelessPrompt(textLength(prompt), contextSize, request.maxTokens);
      const { rendered, media, warnings: noted } = await renderChat(runtime, prompt, request, signal);
      const { opening } = rendered;
      const warnings = [...noted, ...rendered.warnings];
      const joined = new JoinedPrompt(bos, (pieces) => tokenize(pieces, true));
      await joined.addRendered(rendered, media);
      const { prompt: made } = joined;
      // The places of media are counted in tokens.
      const tokens = media.length > 0 ? made.tokens : withReadTokens(made.tokens, read, runtime.engine.text);
      return { ...made, tokens, opening, checkpoints: turnBorders(tokens, runtime), warnings };
    }
    case 'text': {
      const tokens = await tokenize([prompt.text], true);
      const written = tokens[0] !== undefined && tokens[0] === bos[0];
      return raw(written ? tokens : [...bos, ...tokens], vocabulary.bosToken);
    }
    case 'tokens':
      return raw(checkTokens(prompt.tokens, runtime.engine.info.vocabularySize), vocabulary.bosToken);
    case 'mixed': {
      const { vocabularySize } = runtime.engine.info;
      for (const part of prompt.parts) if (typeof part === 'number') checkTokens([part], vocabularySize);
      const [first] = prompt.parts;
      const written = typeof first === 'string' ? (await tokenize([first], true))[0] === bos[0] : first === bos[0];
      const begins = typeof first !== 'number' && !written;
      const joined = new JoinedPrompt(begins ? bos : [], (pieces) => tokenize(pieces, true));
      for (const part of prompt.parts) {
        if (typeof part === 'object') await joined.addMedium(await readMedium(runtime, part, request, signal));
        else await joined.add(part);
      }
      const { tokens, media } = joined.prompt;
      return { ...raw(tokens, vocabulary.bosToken), media };
    }
    case 'infill':
      return raw([...bos, ...(await infillTokens(prompt, runtime, (text) => tokenize([text], false)))], undefined);
    default:
      return prompt satisfies never;
  }
}

/** Many templates show images and sounds in messages of the user alone; what a tool has shown unasked must not end the answer. */
async function renderChat(runtime: ModelRuntime, chat: ChatPrompt, request: GenerationRequest, signal: AbortSignal) {
  const render = async (wanted: ChatPrompt) => {
    const { chat: read, media, warnings } = await readChatMedia(runtime, wanted, request, signal);
    return { rendered: await runtime.renderer.render(read, request.outputShape, signal), media, warnings };
  };
  try {
    return await render(chat);
  } catch (error) {
    const plain = withoutSpareMedia(chat);
    if (!plain || !(error instanceof ServeError) || error.code !== 'invalid_request') throw error;
    return render(plain);
  }
}

/** An empty raw prompt starts from nothing, which needs at least the token that texts start with. */
function raw(tokens: readonly number[], start: number | undefined): PromptTokens {
  if (tokens.length > 0) return { tokens, opening: undefined, checkpoints: [], media: [], warnings: [] };
  if (start === undefined) throw new ServeError('invalid_request', 'The prompt is empty.', { param: 'prompt' });
  return { tokens: [start], opening: undefined, checkpoints: [], media: [], warnings: [] };
}

function checkTokens(tokens: readonly number[], vocabularySize: number): readonly number[] {
  const foreign = tokens.find((token) => token < 0 || token >= vocabularySize || !Number.isInteger(token));
  if (foreign === undefined) return tokens;
  throw new ServeError(
    'invalid_request',
    `${foreign} is no token of this model: ids go from 0 to ${vocabularySize - 1}.`,
    {
      param: 'prompt',
    },
  );
}

async function infillTokens(
  { prefix, suffix, extra }: Extract<Prompt, { type: 'infill' }>,
  { profile }: ModelRuntime,
  tokenize: (text: string) => Promise<number[]>,
): Promise<number[]> {
  const marks = profile.vocabulary.infill;
  if (!marks) {
    throw new ServeError(
      'invalid_request',
      `${profile.id} has no fill-in-the-middle tokens. Use a code model that has them, or send a plain prompt.`,
      { param: 'suffix' },
    );
  }
  const context = extra.map(({ name, text }) => `${name}\n${text}\n\n`).join('');
  return [
    ...(context ? await tokenize(context) : []),
    marks.prefix,
    ...(await tokenize(prefix)),
    marks.suffix,
    ...(await tokenize(suffix)),
    marks.middle,
  ];
}

function textLength(prompt: Extract<Prompt, { type: 'chat' }>): number {
  return prompt.messages.reduce((sum, { content }) => sum + textOfContent(content).length, 0);
}

/**
 * Templates open every turn with the same control token. Its second place ends the system part that conversations
 * share; its last opens the answer, where the next turn of this conversation parts from this one.
 */
function turnBorders(tokens: readonly number[], { engine }: ModelRuntime): number[] {
  const opener = tokens.slice(0, 3).findLast((token) => engine.text.isControl(token));
  if (opener === undefined) return [];
  const places = tokens.flatMap((token, at) => (token === opener && at > 2 ? [at] : []));
  return [...new Set([places[0], places.at(-1)])].filter((at) => at !== undefined);
}
