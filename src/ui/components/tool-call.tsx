import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import type { Block } from '../chats/message.ts';
import { usePage } from '../state/page.ts';
import type { Run } from '../state/runs.ts';
import { strings } from '../strings/strings.ts';
import { Icon } from './icon.tsx';

type Call = Extract<Block, { kind: 'call' }>;

export interface ToolCallProps {
  readonly call: Call;
  /** Its arguments are being written. */
  readonly live: boolean;
  /** The answer that it is part of, while it goes on. */
  readonly run: Run | undefined;
}

/** A call with its arguments as they are written, what it waits for, and what came of it. */
export function ToolCall({ call, live, run }: ToolCallProps): VNode {
  const t = strings.value.call;
  const { result, server, state } = call;
  const isWritten = !live || (state !== undefined && state !== 'writing');
  const isRunning = run !== undefined && state === 'running';
  return (
    <section class="tool-call" role="group" aria-label={`${t.name}: ${call.name}`} data-live={live} data-state={state}>
      <header>
        {isRunning ? <span class="pulse" /> : <Icon name="tool" size={16} />}
        <strong>{call.name}</strong>
        {server !== undefined && <span class="tool-state">{server}</span>}
        {server === undefined && result?.isError && <span class="failed">{t.failed}</span>}
        {server !== undefined && <CallStateText call={call} run={run} />}
      </header>
      <pre tabIndex={0}>{isWritten ? indented(call.arguments) : call.arguments}</pre>
      {run && state === 'asks' && <Question call={call} run={run} />}
      {result && (
        <pre class="call-result" tabIndex={0} role="group" aria-label={t.result}>
          {result.text}
        </pre>
      )}
      {server === undefined && !result && !live && <p class="call-note">{t.waiting}</p>}
      {server !== undefined && !result && !run && <p class="call-note">{t.ended}</p>}
    </section>
  );
}

function CallStateText({ call: { state, ms }, run }: Pick<ToolCallProps, 'call' | 'run'>): VNode | null {
  const { call: t, format } = strings.value;
  const took = ms === undefined ? '' : format.duration(ms);
  switch (state) {
    case 'running':
      return run ? <span class="tool-state">{t.running}</span> : null;
    case 'done':
      return <span class="tool-state">{took}</span>;
    case 'failed':
      return (
        <span class="failed">
          {t.failed} {took}
        </span>
      );
    case 'denied':
      return <span class="failed">{t.denied}</span>;
    case 'asks':
    case 'writing':
    case 'called':
    case undefined:
      return null;
    default:
      return state satisfies never;
  }
}

/** Once, from now on, or not: the answer goes on behind it. */
function Question({ call, run }: { readonly call: Call; readonly run: Run }): VNode {
  const { tools } = usePage();
  const t = strings.value.call;
  const isSent = useSignal(false);
  const decide = (decision: { approve: boolean; always?: boolean }) => {
    isSent.value = true;
    void tools.decide(call.id, decision, run.answerId).finally(() => {
      isSent.value = false;
    });
  };
  const choices = [
    [t.once, { approve: true }],
    [t.always, { approve: true, always: true }],
    [t.no, { approve: false }],
  ] as const;
  return (
    <fieldset class="call-note call-question" disabled={isSent.value} aria-label={t.asks}>
      <span role="status">{t.asks}</span>
      {choices.map(([label, decision]) => (
        <button key={label} type="button" class="chip-button" onClick={() => decide(decision)}>
          {label}
        </button>
      ))}
      {tools.problem.value !== undefined && <span class="failed">{tools.problem.value}</span>}
    </fieldset>
  );
}

function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), undefined, 2);
  } catch {
    return json;
  }
}
