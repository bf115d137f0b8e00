import type { Script } from './api.ts';
import type { Session } from './run-agent.ts';

/** A prompt of a later turn has to be found evaluated up to here. */
const leastCached = 0.95;

export interface Verdict {
  /** Tokens of the second turn's prompt, and the share of them that was cached; undefined where there was no such turn. */
  readonly secondTurn: { readonly prompt: number; readonly share: number } | undefined;
  readonly faults: readonly string[];
}

/** `shown`: what the command writes, which is no part of the command. */
export function judge({ exchanges, exitCode, output }: Session, script: Script, shown: string): Verdict {
  const faults: string[] = [];
  if (exitCode !== 0) faults.push(`it ended with ${exitCode}: ${output.slice(-1000)}`);
  for (const { call, status, answer } of exchanges) {
    if (status < 200 || status > 299) faults.push(`${call} was answered with ${status}: ${answer.slice(0, 500)}`);
  }
  const turns = exchanges.filter(({ steered }) => steered?.step === 'call' || steered?.calls === script.calls);
  const made = turns.map(({ steered }) => steered?.calls).join(', ');
  const wanted = Array.from({ length: script.calls + 1 }, (_, calls) => calls).join(', ');
  if (made !== wanted) faults.push(`its turns had ${made || 'no'} calls behind them, not ${wanted}`);
  if (!JSON.stringify(turns.at(-1)?.steered?.body ?? '').includes(shown))
    faults.push(`what the command wrote, ${shown}, did not come back`);
  if (!output.includes(script.closing)) faults.push('it did not show the closing sentence');
  const second = turns.find(({ steered }) => steered?.calls === 1)?.usage;
  const secondTurn = second && { prompt: second.prompt, share: second.cached / second.prompt };
  if (!secondTurn) faults.push('no usage was told for its second turn');
  else if (secondTurn.share < leastCached) faults.push(`too little of its second turn was cached`);
  return { secondTurn, faults };
}
