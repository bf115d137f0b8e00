import { useComputed, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ChatSummary } from '../chats/entries.ts';
import type { SearchHit } from '../chats/store.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { ChatRow } from './chat-row.tsx';

/** They fill any screen; the others are made when one comes near them, so that a list costs what is seen of it. */
const firstRows = 60;
const moreRows = 200;
/** As much as a row takes without an excerpt, see `.chat-row`. */
const rowRem = 2.125;
const dayMs = 24 * 3600 * 1000;

/** All chats by their age, or those that were found. */
export function ChatList({ hits }: { readonly hits: readonly SearchHit[] | undefined }): VNode {
  return <div class="chat-list">{hits === undefined ? <Groups /> : <Found hits={hits} />}</div>;
}

function Groups(): VNode {
  const { chats, environment } = usePage();
  const t = strings.value.sidebar;
  const made = useSignal(firstRows);
  const groups = useComputed(() => groupsOf(chats.list.value, environment.now()));
  if (groups.value.length === 0) return <p class="list-note">{chats.listed.value ? t.noChats : ''}</p>;
  let left = made.value;
  return (
    <>
      {groups.value.map(({ name, chats }) => {
        const rows = chats.slice(0, Math.max(0, left));
        left -= chats.length;
        if (rows.length === 0) return undefined;
        return (
          <section key={name} aria-label={t[name]}>
            <h2>{t[name]}</h2>
            <ul>
              {rows.map((chat) => (
                <ChatRow key={chat.id} chat={chat} />
              ))}
            </ul>
          </section>
        );
      })}
      <RowsToCome count={-left} more={() => (made.value += moreRows)} />
    </>
  );
}

function Found({ hits }: { readonly hits: readonly SearchHit[] }): VNode {
  const { chats } = usePage();
  const made = useSignal(firstRows);
  if (hits.length === 0) return <p class="list-note">{strings.value.sidebar.nothingFound}</p>;
  const byId = new Map(chats.list.value.map((chat) => [chat.id, chat]));
  return (
    <>
      <ul>
        {hits.slice(0, made.value).map(({ id, excerpt }) => {
          const chat = byId.get(id);
          return chat && <ChatRow key={id} chat={chat} excerpt={excerpt} />;
        })}
      </ul>
      <RowsToCome count={hits.length - made.value} more={() => (made.value += moreRows)} />
    </>
  );
}

interface RowsToComeProps {
  readonly count: number;
  readonly more: () => void;
}

/** The room of the rows that are not made yet: asks for more when it is nearly seen. */
function RowsToCome({ count, more }: RowsToComeProps): VNode | null {
  const room = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!room.current) return undefined;
    const watcher = new IntersectionObserver((seen) => seen.some(({ isIntersecting }) => isIntersecting) && more(), {
      root: room.current.closest('.chat-list'),
      rootMargin: '50%',
    });
    watcher.observe(room.current);
    return () => watcher.disconnect();
  }, [count]);
  return count > 0 ? <div ref={room} style={{ height: `${count * rowRem}rem` }} /> : null;
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
