import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import type { ChatSummary } from '../chats/entries.ts';
import type { SearchHit } from '../chats/store.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { ChatRow } from './chat-row.tsx';
import { Icon } from './icon.tsx';
import { IconButton } from './icon-button.tsx';
import { PreferencesMenu } from './preferences-menu.tsx';
import { showChat } from './router.ts';

const dayMs = 24 * 3600 * 1000;

/** All chats, and the way to a new one. */
export function Sidebar(): VNode {
  const page = usePage();
  const t = strings.value.sidebar;
  const query = useSignal('');
  const hits = useSignal<readonly SearchHit[] | undefined>(undefined);
  const field = useRef<HTMLInputElement>(null);
  useSignalEffect(() => {
    if (page.view.focusSearch.value > 0) field.current?.focus();
  });
  useSignalEffect(() => {
    const asked = query.value.trim();
    // Read, so that a renamed or new chat is found too.
    page.chats.list.value;
    if (asked === '') hits.value = undefined;
    else
      void page.chats.search(asked).then((found) => {
        if (query.peek().trim() === asked) hits.value = found;
      });
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
          onInput={(event) => {
            query.value = event.currentTarget.value;
          }}
        />
      </div>
      <div class="chat-list">{hits.value === undefined ? <Groups /> : <Found hits={hits.value} />}</div>
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

function Groups(): VNode {
  const { chats, environment } = usePage();
  const t = strings.value.sidebar;
  const groups = useComputed(() => groupsOf(chats.list.value, environment.now()));
  if (groups.value.length === 0) return <p class="list-note">{chats.listed.value ? t.noChats : ''}</p>;
  return (
    <>
      {groups.value.map(({ name, chats }) => (
        <section key={name} aria-label={t[name]}>
          <h2>{t[name]}</h2>
          <ul>
            {chats.map((chat) => (
              <ChatRow key={chat.id} chat={chat} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function Found({ hits }: { readonly hits: readonly SearchHit[] }): VNode {
  const { chats } = usePage();
  if (hits.length === 0) return <p class="list-note">{strings.value.sidebar.nothingFound}</p>;
  const byId = new Map(chats.list.value.map((chat) => [chat.id, chat]));
  return (
    <ul>
      {hits.map(({ id, excerpt }) => {
        const chat = byId.get(id);
        return chat && <ChatRow key={id} chat={chat} excerpt={excerpt} />;
      })}
    </ul>
  );
}

type GroupName = 'pinned' | 'today' | 'yesterday' | 'lastWeek' | 'older';

function groupsOf(list: readonly ChatSummary[], now: number): { name: GroupName; chats: ChatSummary[] }[] {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const groupOf = ({ pinned, updatedAt }: ChatSummary): GroupName => {
    if (pinned) return 'pinned';
    if (updatedAt >= midnight) return 'today';
    if (updatedAt >= midnight - dayMs) return 'yesterday';
    return updatedAt >= midnight - 7 * dayMs ? 'lastWeek' : 'older';
  };
  const names: readonly GroupName[] = ['pinned', 'today', 'yesterday', 'lastWeek', 'older'];
  return names
    .map((name) => ({ name, chats: list.filter((chat) => groupOf(chat) === name) }))
    .filter(({ chats }) => chats.length > 0);
}
