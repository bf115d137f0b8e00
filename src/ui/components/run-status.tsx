import { useSignal, useSignalEffect } from '@preact/signals';
import type { VNode } from 'preact';
import { usePage } from '../state/page.ts';
import type { Run, RunPhase } from '../state/runs.ts';
import { strings } from '../strings/strings.ts';
import { WaitReason } from './wait-reason.tsx';

/** What an answer waits for, or what it does just now: one line. */
export function RunStatus({ run }: { readonly run: Run }): VNode {
  const { server, environment } = usePage();
  const phase = run.phase.value;
  const tick = useSignal(0);
  useSignalEffect(() => {
    tick.value;
    if (run.phase.value.kind === 'later') return environment.after(500, () => (tick.value += 1));
    return undefined;
  });
  const remaining = phase.kind === 'later' ? Math.max(0, phase.at - environment.clock()) : 0;
  return (
    <div class="run-status" data-kind={phase.kind}>
      <span class="pulse" />
      <span>
        {textOf(phase, server.phase.value === 'gone', remaining)}
        {phase.kind === 'queued' && <WaitReason />}
      </span>
      {phase.kind === 'reading' && (
        <progress value={phase.processed} max={Math.max(1, phase.total)} aria-label={textOf(phase, false, 0)} />
      )}
      {phase.kind === 'later' && (
        <button type="button" class="chip-button" onClick={() => run.hurry()}>
          {strings.value.phase.now}
        </button>
      )}
    </div>
  );
}

function textOf(phase: RunPhase, gone: boolean, remainingMs: number): string {
  const { phase: t, format } = strings.value;
  switch (phase.kind) {
    case 'sent':
      return t.sent;
    case 'model':
      return gone ? t.modelGone : t.model;
    case 'turn':
      return t.turn;
    case 'queued':
      return joined(
        phase.position <= 1 ? t.next : t.queued(format.number(phase.position)),
        phase.etaMs === undefined ? '' : t.about(format.duration(phase.etaMs)),
      );
    case 'reading':
      return joined(
        t.reading(format.number(phase.processed), format.number(phase.total)),
        phase.cached > 0 ? t.kept(format.number(phase.cached)) : '',
        etaOf(phase),
      );
    // The thought itself says so, and so does the text.
    case 'thinking':
    case 'writing':
    case 'calling':
      return '';
    case 'stopping':
      return t.stopping;
    case 'later':
      return t.later(format.duration(Math.ceil(remainingMs / 1000) * 1000));
    default:
      return phase satisfies never;
  }
}

function etaOf({ total, cached, processed, ms }: Extract<RunPhase, { kind: 'reading' }>): string {
  const read = processed - cached;
  const rest = read > 0 ? ((total - processed) * ms) / read : 0;
  return rest < 500 ? '' : strings.value.phase.about(strings.value.format.duration(rest));
}

function joined(...parts: string[]): string {
  return parts.filter((part) => part !== '').join(' · ');
}
