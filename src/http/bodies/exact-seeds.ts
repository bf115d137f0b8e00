import { isJsonObject } from '../../contract/json.ts';
import { seedBits } from '../../dialects/shared/seed.ts';

/** A seed that JSON.parse may round: more digits than a double holds, and no more than 64 bits can have. */
const wideSeed = /("seed"\s*:\s*)(-?\d{16,19})(?=\s*[,}])/g;

/** Where dialects have their seeds: at the top, or in one of these objects. */
const holders = ['options', 'parameters', 'extra_body'] as const;

const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];

/**
 * The body with its wide seeds as the 32 bits that count, which are read off the text: as doubles, 2^53 + 1 and 2^53 would
 * be one seed. Only the seed of the request itself: a schema or a conversation may have a `seed` of its own.
 */
export function withExactSeeds(body: unknown, text: string): unknown {
  wideSeed.lastIndex = 0;
  if (!isJsonObject(body) || !wideSeed.test(text)) return body;
  // A quote inside a string is escaped, so `"seed":` is always a key.
  const quoted: unknown = JSON.parse(text.replace(wideSeed, '$1"$2"'));
  const exact = withSeed(body, quoted);
  for (const holder of holders) {
    const [inner, innerQuoted] = [exact[holder], isJsonObject(quoted) ? quoted[holder] : undefined];
    if (isJsonObject(inner)) Object.assign(exact, { [holder]: withSeed(inner, innerQuoted) });
  }
  return exact;
}

function withSeed(given: object, quoted: unknown): Record<string, unknown> {
  const digits = isJsonObject(quoted) ? quoted.seed : undefined;
  if (typeof Reflect.get(given, 'seed') !== 'number' || typeof digits !== 'string') return { ...given };
  const seed = BigInt(digits);
  return { ...given, ...(seed >= least && seed <= most && { seed: seedBits(seed) }) };
}
