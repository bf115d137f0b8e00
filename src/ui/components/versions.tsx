import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import type { Message } from '../chats/message.ts';
import { versionsOf } from '../chats/tree.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { IconButton } from './icon-button.tsx';

/** Arrows between what a message is and was; nothing where there is one version. */
export function Versions({ message }: { readonly message: Message }): VNode | null {
  const { chats, view } = usePage();
  const versions = useComputed(() => (chats.open.value ? versionsOf(chats.open.value, message) : [])).value;
  if (versions.length < 2) return null;
  const { message: t, format } = strings.value;
  const index = versions.indexOf(message.id);
  const [at, count] = [format.number(index + 1), format.number(versions.length)];
  return (
    <span class="versions" role="group" aria-label={t.versions(at, count)}>
      <IconButton
        icon="left"
        label={t.previous}
        disabled={index <= 0}
        onClick={() => chats.turn(message.id, -1)}
        size={15}
      />
      <span aria-hidden="true">
        {at} / {count}
      </span>
      <IconButton
        icon="right"
        label={t.next}
        disabled={index === versions.length - 1}
        onClick={() => chats.turn(message.id, 1)}
        size={15}
      />
      {message.role === 'assistant' && message.parent !== null && (
        <IconButton
          icon="columns"
          label={strings.value.compare.show}
          onClick={() => {
            view.compared.value = message.parent ?? undefined;
          }}
          size={15}
        />
      )}
    </span>
  );
}
