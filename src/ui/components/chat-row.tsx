import { useComputed, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { reasonOf } from '../api/failure.ts';
import type { ChatSummary } from '../chats/entries.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { Menu } from './menu.tsx';
import { addressOf, showChat } from './router.ts';

export interface ChatRowProps {
  readonly chat: ChatSummary;
  readonly excerpt?: string;
}

export function ChatRow({ chat, excerpt = '' }: ChatRowProps): VNode {
  const { chats, runs, toasts, environment } = usePage();
  const t = strings.value.sidebar;
  const renaming = useSignal(false);
  const isOpen = useComputed(() => chats.open.value?.id === chat.id).value;
  const isAnswered = useComputed(() => [...runs.live.value.values()].some((run) => run.chatId === chat.id)).value;
  const title = chat.title || t.untitled;
  const remove = () => {
    void chats.remove(chat.id);
    if (isOpen) showChat(undefined);
    toasts.show(t.removed(title), { label: strings.value.undo, run: () => void chats.restore(chat.id) });
  };
  const exportOne = async () => {
    try {
      const { saveFile } = await import('./keeping/save-file.ts');
      await saveFile(chats.parts, [chat.id], environment.now());
    } catch (thrown) {
      toasts.show(t.exportFailed(title, reasonOf(thrown)));
    }
  };
  if (renaming.value)
    return (
      <li class="chat-row">
        <TitleField chat={chat} done={() => (renaming.value = false)} />
      </li>
    );
  return (
    <li class="chat-row" data-open={isOpen}>
      <a href={addressOf(chat.id)} aria-current={isOpen ? 'page' : undefined} title={title}>
        <span class="chat-title" dir="auto">
          {title}
        </span>
        {excerpt && (
          <span class="chat-excerpt" dir="auto">
            {excerpt}
          </span>
        )}
      </a>
      {isAnswered && <span class="live-dot" role="img" aria-label={t.answering} title={t.answering} />}
      <Menu
        icon="more"
        label={t.actions(title)}
        items={[
          { icon: 'edit', label: t.rename, run: () => (renaming.value = true) },
          { icon: 'pin', label: chat.pinned ? t.unpin : t.pin, run: () => void chats.pin(chat.id, !chat.pinned) },
          { icon: 'download', label: t.exportOne, run: () => void exportOne() },
          { icon: 'trash', label: t.remove, run: remove, dangerous: true },
        ]}
      />
    </li>
  );
}

function TitleField({ chat, done }: { readonly chat: ChatSummary; readonly done: () => void }): VNode {
  const { chats } = usePage();
  const finish = (title: string) => {
    if (title.trim() !== '' && title !== chat.title) void chats.rename(chat.id, title.trim());
    done();
  };
  return (
    <input
      class="title-field"
      aria-label={strings.value.sidebar.newTitle}
      defaultValue={chat.title}
      ref={(field) => field?.focus()}
      onFocus={(event) => event.currentTarget.select()}
      onBlur={(event) => finish(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.isComposing) return;
        if (event.key === 'Enter') finish(event.currentTarget.value);
        if (event.key === 'Escape') {
          event.stopPropagation();
          done();
        }
      }}
    />
  );
}
