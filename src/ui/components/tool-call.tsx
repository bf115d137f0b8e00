import type { VNode } from 'preact';
import type { Block } from '../chats/message.ts';
import { strings } from '../strings/strings.ts';
import { Icon } from './icon.tsx';

export interface ToolCallProps {
  readonly call: Extract<Block, { kind: 'call' }>;
  readonly live: boolean;
}

/** A call with its arguments as they are written, and what came of it. */
export function ToolCall({ call, live }: ToolCallProps): VNode {
  const t = strings.value.call;
  const { result } = call;
  return (
    <section class="tool-call" aria-label={`${t.name}: ${call.name}`} data-live={live}>
      <header>
        <Icon name="tool" size={16} />
        <strong>{call.name}</strong>
        {result?.isError && <span class="failed">{t.failed}</span>}
      </header>
      <pre tabIndex={0}>{live ? call.arguments : indented(call.arguments)}</pre>
      {result && (
        <pre class="call-result" tabIndex={0} role="region" aria-label={t.result}>
          {result.text}
        </pre>
      )}
      {!result && !live && <p class="call-note">{t.waiting}</p>}
    </section>
  );
}

function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), undefined, 2);
  } catch {
    return json;
  }
}
