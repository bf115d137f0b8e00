/** Every command, one row each: --help, the check of the words behind it and the shells' completions are made of these. */
export interface Command {
  /** What it does, for --help. */
  readonly help: string;
  /** The words behind it, as one would write them: `MODEL [PROMPT]`. */
  readonly operands: string;
  /** How many of them there must be, and may be. */
  readonly least: number;
  readonly most: number;
  /** All that the first word may be. */
  readonly choices?: readonly string[];
  /** What is missing when there are too few. */
  readonly missing?: string;
  /** What to do when there are too many. */
  readonly tooMany?: string;
}

const model = { operands: 'MODEL', least: 1, most: 1, missing: 'The name of the model is missing.' } as const;

export const commands = {
  serve: {
    help: 'serve a model (the word may be left out)',
    operands: '[MODEL]',
    least: 0,
    most: 1,
    tooMany: 'Serve several models with --model, once for each.',
  },
  run: {
    help: 'chat with a model here; with a prompt or a pipe one answer',
    operands: 'MODEL [PROMPT]',
    least: 1,
    most: Number.POSITIVE_INFINITY,
    missing: 'The name of the model is missing.',
  },
  chat: {
    help: 'the same with the server that runs',
    operands: '[PROMPT]',
    least: 0,
    most: Number.POSITIVE_INFINITY,
  },
  launch: {
    help: 'start a coding agent that talks to the server that runs',
    operands: 'AGENT [-- ARGS]',
    least: 1,
    most: Number.POSITIVE_INFINITY,
    choices: ['claude', 'codex', 'opencode', 'copilot', 'qwen', 'cline'],
    missing: 'The name of the agent is missing.',
  },
  ps: { help: 'tell what the servers of this user have loaded', operands: '', least: 0, most: 0 },
  stop: { help: 'unload a model, or stop the server', operands: '[MODEL]', least: 0, most: 1 },
  doctor: {
    help: 'look at this machine, and measure what models will do on it',
    operands: '[MODEL]',
    least: 0,
    most: 1,
  },
  inspect: { ...model, help: 'tell what a model file is and what memory it takes' },
  pull: { ...model, help: 'download a model' },
  list: { help: 'list the local models', operands: '', least: 0, most: 0, tooMany: 'serve-model list takes no names.' },
  rm: { ...model, help: 'delete a downloaded model' },
  quantize: {
    help: 'write a smaller copy of a model; IN alone: what there could be',
    operands: 'IN [OUT TYPE]',
    least: 1,
    most: 3,
    missing: 'The name of the model is missing.',
  },
  bench: {
    help: 'measure what users get, the library alone, and another server',
    operands: 'MODEL',
    least: 1,
    most: 1,
    missing: 'The name of the model is missing.',
  },
  completion: {
    help: "write a shell's completion script",
    operands: 'SHELL',
    least: 1,
    most: 1,
    choices: ['bash', 'zsh', 'fish'],
    missing: 'The name of the shell is missing.',
  },
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof commands;

export function commandUsage(name: CommandName): string {
  return ['serve-model', name, commands[name].operands].join(' ').trimEnd();
}
