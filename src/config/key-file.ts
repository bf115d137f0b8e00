import type { ApiKey, KeyLimits } from '../contract/caller.ts';

/** The keys of --api-key-file, and where they can be read again. */
export interface KeyFile {
  readonly path: string;
  readonly keys: readonly ApiKey[];
}

/** A key's words behind it -> the limit. */
const limitWords: Readonly<Record<string, keyof KeyLimits>> = {
  streams: 'streams',
  'requests/min': 'requestsPerMinute',
  'tokens/min': 'tokensPerMinute',
  'tokens/day': 'tokensPerDay',
};

/** The holder of the admin token has this name. */
const adminName = 'admin';

/**
 * One key a line: `NAME: KEY [admin] [streams=4] [requests/min=60] [tokens/min=20000] [tokens/day=1e6]`, or a bare key.
 * Lines of one name are one person, whose limits may stand on any of them. `#` begins a comment. Throws an Error whose
 * message continues the sentence `--api-key-file FILE ...`; no message shows a key.
 */
export function parseKeyFile(text: string): readonly ApiKey[] {
  const keys = text.split('\n').flatMap((line, index) => {
    const words = withoutComment(line);
    return words === '' ? [] : [parseLine(words, `is wrong in line ${index + 1}`)];
  });
  // An empty key file must not open the server to everyone.
  if (keys.length === 0) throw new Error('holds no key. Write one key in each line');
  checkTogether(keys);
  return Object.freeze(keys);
}

function withoutComment(line: string): string {
  return line.replace(/(^|\s)#.*$/, '').trim();
}

function parseLine(line: string, wrong: string): ApiKey {
  // `Ann Smith: KEY` too: as a bare key it would lock Ann out.
  const named = /^(.*?):\s+(\S.*)$/.exec(line);
  if (named) return parseNamed(named[1] ?? '', named[2]?.split(/\s+/) ?? [], wrong);
  const [, ...rest] = line.split(/\s+/);
  if (rest.length > 0 && rest.every((word) => word === 'admin' || word.includes('=')))
    throw new Error(`${wrong}: only keys with a name can have more behind them. Write NAME: in front of the key`);
  return { key: line, name: undefined, admin: false, limits: {} };
}

function parseNamed(name: string, [key = '', ...words]: readonly string[], wrong: string): ApiKey {
  if (!/^[a-z0-9-]{1,40}$/.test(name))
    throw new Error(`${wrong}: a name has 1 to 40 characters of a-z, 0-9 and -. Write NAME: KEY`);
  let admin = false;
  const limits: { -readonly [Limit in keyof KeyLimits]: number } = {};
  for (const word of words) {
    const [left = '', ...right] = word.split('=');
    const limit = limitWords[left];
    if (word === 'admin') admin = true;
    else if (limit !== undefined) limits[limit] = amount(right.join('='), left, wrong);
    else throw new Error(`${wrong}: ${name} has a word that is none of admin, ${Object.keys(limitWords).join('=, ')}=`);
  }
  if (name === adminName && !admin)
    throw new Error(
      `${wrong}: the name ${adminName} is that of the admin token. Write admin behind the key, or rename`,
    );
  return { key, name, admin, limits };
}

/** `20000`, `1e6`. */
function amount(text: string, word: string, wrong: string): number {
  const value = Number(text);
  if (/^[\d.e+]+$/i.test(text) && Number.isSafeInteger(value) && value >= 1) return value;
  throw new Error(`${wrong}: ${word} must be a whole number of at least 1`);
}

/** A key stands for one person, and a person has one limit of a kind. */
function checkTogether(keys: readonly ApiKey[]): void {
  const owners = new Map<string, string | undefined>();
  const limits = new Map<string, number>();
  for (const { key, name, limits: own } of keys) {
    if (owners.has(key) && owners.get(key) !== name)
      throw new Error(`holds one key twice: for ${owners.get(key) ?? 'nobody'} and for ${name ?? 'nobody'}`);
    owners.set(key, name);
    for (const [word, value] of Object.entries(own)) {
      const before = limits.get(`${name} ${word}`);
      if (before !== undefined && before !== value)
        throw new Error(`is wrong: two lines of ${name} have different limits. Write them once`);
      limits.set(`${name} ${word}`, value);
    }
  }
}
