import { hugePageVariables, type PageFacts } from '../models/huge-pages.ts';

/** The part of `process` that a restart needs. */
export interface Restartable {
  readonly execPath: string;
  readonly argv0: string;
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** A parent talks to this process over Node's own channel, which would not survive. */
  readonly connected?: boolean;
}

/**
 * Begins the program anew in this very process (same id, same parent, same terminal) where that lets it use huge pages.
 * Returns where it does not, or cannot: Node.js has `process.execve` since 22.15.
 */
export function restartWithHugePages(program: Restartable = process, pages?: PageFacts): void {
  const { execPath, argv0, execArgv, argv, env, connected } = program;
  const variables = hugePageVariables(env, pages);
  const execve: unknown = Reflect.get(program, 'execve');
  if (!variables || typeof execve !== 'function' || connected) return;
  Reflect.apply(execve, program, [execPath, [argv0, ...execArgv, ...argv.slice(1)], { ...env, ...variables }]);
}
