import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { reasonOf } from '../../api/failure.ts';
import { readChunk } from '../../chats/chunk.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';

export interface SumUpButtonProps {
  readonly text: string;
  /** Told the summary so far, again and again. */
  readonly write: (text: string) => void;
}

/** So long a summary may become, in tokens. */
const mostTokens = 400;

/** Lets the model write what stays of a text; a second click ends that with what there is. */
export function SumUpButton({ text, write }: SumUpButtonProps): VNode {
  const { api, server } = usePage();
  const t = strings.value.context;
  const failure = useSignal('');
  const working = useSignal(false);
  const left = useRef(new AbortController());
  useEffect(() => () => left.current.abort('the panel was closed'), []);
  const sumUp = async () => {
    const { signal } = left.current;
    const { id, switchesThinking } = server.facts.value ?? {};
    const body = {
      ...(id !== undefined && { model: id }),
      ...(switchesThinking && { enable_thinking: false }),
      messages: [{ role: 'user', content: `${instruction}\n\n${text}` }],
      max_tokens: mostTokens,
      stream: true,
    };
    let summary = '';
    for await (const value of api.stream('v1/chat/completions', { body, signal })) {
      summary += readChunk(value).text ?? '';
      if (summary.trim() !== '') write(summary.trimStart());
    }
  };
  const click = () => {
    if (working.value) {
      left.current.abort('stopped');
      return;
    }
    left.current = new AbortController();
    failure.value = '';
    working.value = true;
    sumUp()
      .catch((thrown: unknown) => {
        if (left.current.signal.aborted) return;
        failure.value = reasonOf(thrown);
      })
      .finally(() => {
        working.value = false;
      });
  };
  return (
    <div class="sum-up">
      <button type="button" class="chip-button" disabled={server.phase.value !== 'ready'} onClick={click}>
        {working.value ? t.stopSummary : t.sumUp}
      </button>
      <span class="fine refused" role="alert" dir="auto">
        {failure.value}
      </span>
    </div>
  );
}

/** For the model. */
const instruction =
  'Sum up the following text in its own language, in at most 150 words. Keep names, numbers and decisions. Write nothing but the summary.';
