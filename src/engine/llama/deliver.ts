import { checkDirective } from '../check-directive.ts';
import type { Directive } from '../engine.ts';
import type { SequenceRun } from './sequence-run.ts';

/** Gives a run's new tokens to its request and keeps what the request says to them. Synchronous text work. */
export function giveToRequest(run: SequenceRun): void {
  const tokens = run.undelivered;
  run.undelivered = [];
  const { remote } = run.job;
  if (remote) {
    const obeyAll = (directives: readonly Directive[]) => obeyEach(run, directives, (directive) => directive);
    run.reply = remote.deliver(tokens).then(obeyAll);
  } else {
    obeyEach(run, tokens, (token) => run.job.onToken(token));
  }
}

function obeyEach<Said>(run: SequenceRun, all: readonly Said[], directiveOf: (said: Said) => Directive): void {
  for (const said of all) {
    // One that is over has no sampler to change any more.
    if (run.stopped || run.over) return;
    try {
      obey(run, directiveOf(said));
    } catch (error) {
      // One request's text work or grammar must never take the loop, and so its neighbours, down.
      run.failure = error;
      run.stopped = true;
    }
  }
}

function obey(run: SequenceRun, directive: Directive): void {
  checkDirective(run.job, directive);
  switch (directive.type) {
    case 'continue':
      return;
    case 'stop':
      run.stopped = true;
      return;
    case 'force':
      run.forced = directive.tokens;
      return;
    case 'grammar':
      run.sampler?.setGrammar(grammarText(run, directive.grammar), run.job.prompt);
      return;
    default:
      directive satisfies never;
  }
}

function grammarText(run: SequenceRun, grammar: string): string | undefined {
  if (grammar === 'off') return undefined;
  return grammar === 'own' ? run.job.grammar : grammar;
}
