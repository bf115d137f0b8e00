import { ServeError } from '../contract/errors.ts';
import { type Flag, type FlagName, flagSpelling, flags } from './flags.ts';
import { suggest } from './suggest.ts';

/** What stands on the command line, not yet turned into values. */
export interface RawArguments {
  readonly positionals: readonly string[];
  /** Texts per flag in the order given. A switch gives `true` or `false`. */
  readonly given: ReadonlyMap<FlagName, readonly string[]>;
  readonly help: boolean;
  readonly version: boolean;
}

interface FoundFlag {
  readonly name: FlagName;
  readonly flag: Flag<unknown>;
  /** The switch was spelled `--no-x`. */
  readonly negated: boolean;
}

export function usageError(message: string, param?: string): ServeError {
  return new ServeError('invalid_request', message, param === undefined ? {} : { param });
}

export const flagNames = Object.keys(flags) as FlagName[]; // Object.keys forgets the keys' type

/** Spelling without dashes -> flag. */
const spellings: ReadonlyMap<string, FoundFlag> = new Map(
  flagNames.flatMap((name) => {
    const flag: Flag<unknown> = flags[name];
    const all = [flagSpelling(name), ...(flag.alsoFlags ?? [])];
    const entries: [string, FoundFlag][] = all.map((spelling) => [spelling, { name, flag, negated: false }]);
    if (flag.kind.shape === 'switch' || flag.kind.none !== undefined)
      entries.push([`no-${flagSpelling(name)}`, { name, flag, negated: true }]);
    return entries;
  }),
);

/** Splits `--flag value`, `--flag=value`, `--switch`, `--no-switch`, `-x value`, `--` and positionals. */
export function readArguments(argv: readonly string[]): RawArguments {
  const positionals: string[] = [];
  const given = new Map<FlagName, string[]>();
  let help = false;
  let version = false;
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (argument === '--') {
      positionals.push(...argv.slice(index + 1));
      break;
    }
    if (!argument.startsWith('-') || argument === '-') positionals.push(argument);
    else if (argument === '--help' || argument === '-h') help = true;
    else if (argument === '--version' || argument === '-V') version = true;
    else {
      const { spelling, inline } = splitFlag(argument);
      const found = findFlag(spelling);
      const alone = found.flag.kind.shape === 'switch' || found.negated;
      const value = inline ?? (alone ? undefined : argv[++index]);
      given.set(found.name, [...(given.get(found.name) ?? []), flagText(found, spelling, value)]);
    }
  }
  return { positionals, given, help, version };
}

function splitFlag(argument: string): { readonly spelling: string; readonly inline: string | undefined } {
  const equals = argument.indexOf('=');
  return equals === -1
    ? { spelling: argument, inline: undefined }
    : { spelling: argument.slice(0, equals), inline: argument.slice(equals + 1) };
}

function findFlag(spelling: string): FoundFlag {
  const bare = spelling.replace(/^--?/, '');
  const found = spellings.get(bare);
  const dashes = bare.length === 1 ? '-' : '--';
  if (found && spelling === dashes + bare) return found;
  const meant = found ? bare : suggest(bare, [...spellings.keys(), 'help', 'version']);
  const hint =
    meant === undefined
      ? 'serve-model --help lists all flags.'
      : `Did you mean ${meant.length === 1 ? '-' : '--'}${meant}?`;
  throw usageError(`There is no flag ${spelling}. ${hint}`, spelling);
}

function flagText(found: FoundFlag, spelling: string, value: string | undefined): string {
  const { shape, none } = found.flag.kind;
  if (shape === 'switch' || found.negated) {
    if (value === undefined) return found.negated ? (none ?? 'false') : 'true';
    if (!found.negated) return value;
    throw usageError(`${spelling} takes no value. Leave out =${value}.`, spelling);
  }
  if (value !== undefined && !value.startsWith('--')) return value;
  throw usageError(`${spelling} needs a value: ${spelling} ${found.flag.kind.placeholder}.`, spelling);
}
