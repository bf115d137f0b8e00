import { ServeError } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { ToolHost } from '../contract/server-tools.ts';
import type { TokenService } from '../contract/services.ts';
import { asOffered } from './offer-tools.ts';
import { promptTokens } from './prompt-tokens.ts';
import { type ModelRuntime, type UseModel, using } from './runtime.ts';

/** Texts and prompts as tokens, by the loaded models' own tokenizers. */
export function createTokenService(useModel: UseModel<ModelRuntime>, host?: ToolHost): TokenService {
  const on = <T>(
    name: string | undefined,
    signal: AbortSignal,
    work: (runtime: ModelRuntime) => Promise<T> | T,
  ): Promise<T> => using(useModel(name, signal), ({ runtime }) => work(runtime));
  return {
    async promptTokens(asked, signal) {
      const request = await asOffered(host, asked, signal);
      return on(request.model, signal, async (runtime) => (await promptTokens(runtime, request, signal)).tokens);
    },

    tokenize: (name, content, { addSpecial, parseSpecial, signal }) =>
      on(name, signal, async ({ engine, profile }) => {
        const { addsBos, addsEos, bosText, eosText } = profile.vocabulary;
        const mark = async (wanted: boolean, spelling: string) =>
          addSpecial && wanted && spelling !== '' ? engine.text.tokenize([spelling], { special: true, signal }) : [];
        return [
          ...(await mark(addsBos, bosText)),
          ...(await engine.text.tokenize([content], { special: parseSpecial, signal })),
          ...(await mark(addsEos, eosText)),
        ];
      }),

    pieces: (name, tokens, signal) =>
      on(name, signal, async ({ engine, profile }) => {
        const pieces: Uint8Array[] = [];
        for (const [index, token] of tokens.entries()) {
          if (index % tokensPerTurn === tokensPerTurn - 1) await nextTurn(signal);
          pieces.push(engine.text.bytes(knownToken(token, index, profile)));
        }
        return pieces;
      }),
  };
}

/** Looking up so many takes a few milliseconds; then the others get their turn. */
const tokensPerTurn = 4096;

async function nextTurn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

function knownToken(token: number, index: number, { id, vocabulary }: ModelProfile): number {
  if (Number.isInteger(token) && token >= 0 && token < vocabulary.size) return token;
  throw new ServeError(
    'invalid_request',
    `\`tokens[${index}]\` is ${token}, but the tokens of ${id} are 0 to ${vocabulary.size - 1}.`,
    { param: `tokens[${index}]` },
  );
}
