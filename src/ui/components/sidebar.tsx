import { useSignal, useSignalEffect } from '@preact/signals';
import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { reasonOf } from '../api/failure.ts';
import type { SearchHit } from '../chats/store.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { ChatList } from './chat-list.tsx';
import { Icon } from './icon.tsx';
import { IconButton } from './icon-button.tsx';
import { PreferencesMenu } from './preferences-menu.tsx';
import { showChat } from './router.ts';

/** All chats, and the way to a new one. */
export function Sidebar(): VNode {
  const page = usePage();
  const t = strings.value.sidebar;
  const query = useSignal('');
  const hits = useSignal<readonly SearchHit[] | undefined>(undefined);
  /** Why nobody knows what would be found. */
  const failed = useSignal<string | undefined>(undefined);
  const again = useSignal(0);
  const field = useRef<HTMLInputElement>(null);
  useSignalEffect(() => {
    if (page.view.focusSearch.value > 0) field.current?.focus();
  });
  useSignalEffect(() => {
    const asked = query.value.trim();
    // Read, so that a renamed or new chat is found too.
    page.chats.list.value;
    again.value;
    if (asked === '') {
      hits.value = undefined;
      failed.value = undefined;
      return;
    }
    const isAsked = () => query.peek().trim() === asked;
    page.chats.search(asked).then(
      (found) => {
        if (!isAsked()) return;
        hits.value = found;
        failed.value = undefined;
      },
      (thrown: unknown) => {
        if (isAsked()) failed.value = reasonOf(thrown);
      },
    );
  });
  return (
    <nav class="sidebar" aria-label={t.name}>
      <div class="sidebar-top">
        <IconButton
          icon="sidebar"
          label={t.hide}
          keys="Control+B"
          onClick={() => {
            page.preferences.sidebarOpen.value = false;
          }}
        />
        <button type="button" class="new-chat" aria-keyshortcuts="Control+Shift+O" onClick={() => showChat(undefined)}>
          <Icon name="plus" />
          {t.newChat}
        </button>
      </div>
      <div class="search-field">
        <Icon name="search" size={16} />
        <input
          ref={field}
          type="search"
          placeholder={t.search}
          aria-label={t.search}
          aria-keyshortcuts="Control+K"
          value={query.value}
          onFocus={() => void page.chats.search('').catch(() => undefined)}
          onInput={(event) => {
            query.value = event.currentTarget.value;
          }}
        />
      </div>
      {failed.value === undefined ? (
        <ChatList hits={hits.value} />
      ) : (
        <div class="chat-list">
          <p class="list-note" role="alert" dir="auto">
            {t.searchFailed(failed.value)}
          </p>
          <button type="button" class="text-button" onClick={() => (again.value += 1)}>
            {strings.value.retry}
          </button>
        </div>
      )}
      <div class="sidebar-bottom">
        <button
          type="button"
          class="where"
          aria-haspopup="dialog"
          onClick={() => {
            page.view.dialog.value = 'keeping';
          }}
        >
          {page.server.rights.value.chatStore ? t.keptOnServer : t.keptHere}
        </button>
        <PreferencesMenu />
      </div>
    </nav>
  );
}
