import { type Command, type CommandName, commands } from './commands.ts';
import { type Flag, flagSpelling, flags } from './flags.ts';
import { flagNames, usageError } from './read-arguments.ts';

/** A flag as shells complete it. */
interface CompletedFlag {
  /** With their dashes. */
  readonly spellings: readonly string[];
  readonly help: string;
  readonly takesValue: boolean;
  /** The words of its value that are known; beside them any file, where `files`. */
  readonly choices: readonly string[];
  readonly files: boolean;
  readonly onlyFor: readonly CommandName[] | undefined;
}

interface CompletedCommand {
  readonly name: string;
  readonly help: string;
  readonly choices: readonly string[];
}

/** The script that `serve-model completion SHELL` writes, out of the same tables as --help. */
export function completionScript(shell: string): string {
  const facts = { commands: completedCommands(), flags: flagNames.map(completedFlag) };
  switch (shell) {
    case 'bash':
      return bashScript(facts);
    case 'zsh':
      return zshScript(facts);
    case 'fish':
      return fishScript(facts);
    default:
      throw usageError(`There are no completions for ${shell}.`, shell);
  }
}

interface CompletionFacts {
  readonly commands: readonly CompletedCommand[];
  readonly flags: readonly CompletedFlag[];
}

function completedCommands(): CompletedCommand[] {
  return Object.entries<Command>(commands).map(([name, { help, choices = [] }]) => ({ name, help, choices }));
}

function completedFlag(name: (typeof flagNames)[number]): CompletedFlag {
  const { kind, alsoFlags = [], help, onlyFor }: Flag<unknown> = flags[name];
  const spelling = flagSpelling(name);
  const parts = kind.placeholder.split('|');
  return {
    spellings: [spelling, ...alsoFlags].map((each) => (each.length === 1 ? `-${each}` : `--${each}`)),
    help,
    takesValue: kind.shape !== 'switch',
    // What stands in capitals is a kind of value, everything else a value.
    choices: parts.filter((part) => part !== '' && part !== part.toUpperCase()),
    files: parts.some((part) => ['FILE', 'DIR', 'MODEL'].includes(part)),
    onlyFor,
  };
}

/** `--no-x`, which no table lists. */
function negations(flag: CompletedFlag): string[] {
  return flag.takesValue ? [] : flag.spellings.slice(0, 1).map((spelling) => spelling.replace('--', '--no-'));
}

function spellingsFor(flags: readonly CompletedFlag[], command: string | undefined): string[] {
  return flags
    .filter(({ onlyFor }) =>
      command === undefined ? onlyFor === undefined : onlyFor?.some((each) => each === command),
    )
    .flatMap((flag) => [...flag.spellings, ...negations(flag)]);
}

const everywhere = ['--help', '--version'];

/** The lines of a `case` on the flag before the cursor. `words` and `files` are the shell's ways to offer them. */
function valueCases(
  flags: readonly CompletedFlag[],
  offer: (choices: readonly string[], files: boolean) => string,
): string[] {
  return flags
    .filter(({ takesValue }) => takesValue)
    .map(({ spellings, choices, files }) => `    ${spellings.join('|')}) ${offer(choices, files)}return ;;`);
}

/** Of what only some commands take, by command. */
function commandCases({ commands, flags }: CompletionFacts, line: (words: string) => string): string[] {
  return commands.flatMap(({ name }) => {
    const words = spellingsFor(flags, name);
    return words.length === 0 ? [] : [`      ${name}) ${line(words.join(' '))} ;;`];
  });
}

function choiceCases(commands: readonly CompletedCommand[], line: (words: string) => string): string[] {
  return commands.flatMap(({ name, choices }) =>
    choices.length === 0 ? [] : [`    ${name}) ${line(choices.join(' '))} return ;;`],
  );
}

function bashScript(facts: CompletionFacts): string {
  const { commands, flags } = facts;
  const offer = (choices: readonly string[], files: boolean) =>
    `_serve_model_offer ${files ? 'files' : 'words'} ${quoted(choices.join(' '))}; `;
  return lines(
    '# serve-model completion bash > ~/.local/share/bash-completion/completions/serve-model',
    '_serve_model_offer() {',
    '  local line',
    '  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -W "$2" -- "$cur")',
    '  [ "$1" = files ] || return',
    '  compopt -o filenames 2>/dev/null',
    '  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")',
    '}',
    '_serve_model() {',
    `  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= index flags`,
    '  COMPREPLY=()',
    '  for ((index = 1; index < COMP_CWORD; index++)); do',
    `    case \${COMP_WORDS[index]} in`,
    '      --) _serve_model_offer files ""; return ;;',
    `      ${commands.map(({ name }) => name).join('|')}) [ -n "$command" ] || command=\${COMP_WORDS[index]} ;;`,
    '    esac',
    '  done',
    '  case $prev in',
    ...valueCases(flags, offer),
    '  esac',
    '  if [[ $cur == -* ]]; then',
    `    flags=${quoted([...spellingsFor(flags, undefined), ...everywhere].join(' '))}`,
    '    case $command in',
    ...commandCases(facts, (words) => `flags+=${quoted(` ${words}`)}`),
    '    esac',
    '    _serve_model_offer words "$flags"',
    '    return',
    '  fi',
    '  case $command in',
    ...choiceCases(commands, (words) => `_serve_model_offer words ${quoted(words)};`),
    '  esac',
    `  [ -n "$command" ] && _serve_model_offer files "" || _serve_model_offer files ${quoted(commands.map(({ name }) => name).join(' '))}`,
    '}',
    'complete -F _serve_model serve-model',
  );
}

function zshScript(facts: CompletionFacts): string {
  const { commands, flags } = facts;
  const offer = (choices: readonly string[], files: boolean) =>
    `${choices.length > 0 ? `compadd -- ${choices.join(' ')}; ` : ''}${files ? '_files; ' : ''}`;
  return lines(
    '#compdef serve-model',
    '# serve-model completion zsh > "$fpath[1]/_serve-model"',
    '_serve_model() {',
    '  local command= index',
    '  local -a flags names',
    '  for ((index = 2; index < CURRENT; index++)); do',
    '    case $words[index] in',
    '      --) _files; return ;;',
    `      ${commands.map(({ name }) => name).join('|')}) [[ -n $command ]] || command=$words[index] ;;`,
    '    esac',
    '  done',
    '  case $words[CURRENT-1] in',
    ...valueCases(flags, offer),
    '  esac',
    '  if [[ $words[CURRENT] == -* ]]; then',
    `    flags=(${[...spellingsFor(flags, undefined), ...everywhere].join(' ')})`,
    '    case $command in',
    ...commandCases(facts, (words) => `flags+=(${words})`),
    '    esac',
    '    compadd -- $flags',
    '    return',
    '  fi',
    '  case $command in',
    ...choiceCases(commands, (words) => `compadd -- ${words};`),
    '  esac',
    '  if [[ -z $command ]]; then',
    `    names=(${commands.map(({ name, help }) => quoted(`${name}:${help}`)).join(' ')})`,
    '    _describe command names',
    '  fi',
    '  _files',
    '}',
    'if [ "$funcstack[1]" = "_serve-model" ]; then _serve_model "$@"; else compdef _serve_model serve-model; fi',
  );
}

function fishScript({ commands, flags }: CompletionFacts): string {
  const names = commands.map(({ name }) => name).join(' ');
  const commandLines = commands.map(
    ({ name, help }) =>
      `complete -c serve-model -n 'not __fish_seen_subcommand_from ${names}' -a ${name} -d ${quoted(help)}`,
  );
  const choiceLines = commands.flatMap(({ name, choices }) =>
    choices.length === 0
      ? []
      : [`complete -c serve-model -f -n '__fish_seen_subcommand_from ${name}' -a ${quoted(choices.join(' '))}`],
  );
  return lines(
    '# serve-model completion fish > ~/.config/fish/completions/serve-model.fish',
    ...commandLines,
    ...choiceLines,
    ...flags.map(fishFlag),
    'complete -c serve-model -s h -l help',
    'complete -c serve-model -s V -l version',
  );
}

function fishFlag(flag: CompletedFlag): string {
  const { spellings, help, takesValue, choices, files, onlyFor } = flag;
  const names = [...spellings, ...negations(flag)].map((each) =>
    each.startsWith('--') ? `-l ${each.slice(2)}` : `-s ${each.slice(1)}`,
  );
  const value = takesValue ? [`-${files ? 'rF' : 'x'}`] : [];
  const words = choices.length > 0 ? [`-a ${quoted(choices.join(' '))}`] : [];
  const where = onlyFor ? [`-n '__fish_seen_subcommand_from ${onlyFor.join(' ')}'`] : [];
  return ['complete -c serve-model', ...where, ...names, ...value, ...words, `-d ${quoted(help)}`].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
