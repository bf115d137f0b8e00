import type { VNode } from 'preact';
import type { Message } from '../chats/message.ts';
import { strings } from '../strings/strings.ts';

/** That the model reads less of a message than stands here, and what it reads. */
export function ShortNote({ message }: { readonly message: Message }): VNode | null {
  const t = strings.value.message;
  if (message.short === undefined) return null;
  return (
    <details class="short-note">
      <summary class="chip">{t.shortened}</summary>
      <pre tabIndex={0} role="region" aria-label={t.shortForm} dir="auto">
        {message.short}
      </pre>
    </details>
  );
}
