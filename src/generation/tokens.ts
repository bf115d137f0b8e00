import { ServeError } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { TokenService } from '../contract/services.ts';
import type { TokenText } from '../engine/engine.ts';

export interface TokenModel {
  readonly profile: ModelProfile;
  readonly text: TokenText;
}

export interface TokenServiceOptions {
  /** The model that serves a name; model_not_found and the like where there is none. */
  readonly find: (name: string | undefined) => TokenModel;
  /** The conductor's own way from a request to its prompt. */
  readonly promptTokens: TokenService['promptTokens'];
}

export function createTokenService({ find, promptTokens }: TokenServiceOptions): TokenService {
  return {
    promptTokens,
    async tokenize(name, content, { addSpecial, parseSpecial, signal }) {
      const { profile, text } = find(name);
      const { addsBos, addsEos, bosText, eosText } = profile.vocabulary;
      const mark = async (wanted: boolean, spelling: string) =>
        addSpecial && wanted && spelling !== '' ? text.tokenize([spelling], { special: true, signal }) : [];
      return [
        ...(await mark(addsBos, bosText)),
        ...(await text.tokenize([content], { special: parseSpecial, signal })),
        ...(await mark(addsEos, eosText)),
      ];
    },
    pieces(name, tokens) {
      const { profile, text } = find(name);
      const { size } = profile.vocabulary;
      return tokens.map((token, index) => {
        if (Number.isInteger(token) && token >= 0 && token < size) return text.bytes(token);
        throw new ServeError(
          'invalid_request',
          `\`tokens[${index}]\` is ${token}, but the tokens of ${profile.id} are 0 to ${size - 1}.`,
          { param: `tokens[${index}]` },
        );
      });
    },
  };
}
