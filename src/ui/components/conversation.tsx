import { useComputed, useSignalEffect } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Message } from '../chats/message.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { Answer } from './answer.tsx';
import { Icon } from './icon.tsx';
import { Later } from './later.tsx';
import { UserTurn } from './user-turn.tsx';
import { Welcome } from './welcome.tsx';

const comparison = () => import('./compare/comparison.tsx').then(({ Comparison }) => Comparison);

/** So close to its end counts as there: fractions of pixels, and the bounce of a touch screen. */
const atEndPx = 24;

/**
 * What is said, in a box that scrolls. While its end is in sight it stays in sight; otherwise nothing here touches the
 * place of the reader.
 */
export function Conversation(): VNode {
  const { chats, view } = usePage();
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const chatId = useComputed(() => chats.open.value?.id).value;
  const path = chats.path.value;
  // What stands below compared answers follows one of them only.
  const compared = path.findIndex(({ role, parent }) => role === 'assistant' && parent === view.compared.value);
  const shown = compared < 0 ? path : path.slice(0, compared);

  useEffect(() => {
    const scroller = box.current;
    if (!scroller || !content.current) return undefined;
    const toEnd = () => {
      if (view.following.peek()) scroller.scrollTop = scroller.scrollHeight;
    };
    const observer = new ResizeObserver(toEnd);
    observer.observe(content.current);
    observer.observe(scroller);
    return () => observer.disconnect();
  }, [view]);

  // Another chat begins at its end.
  useEffect(() => {
    view.following.value = true;
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [chatId, view]);

  // Only going up leaves the end: text that grew between the move to the end and its event puts the end further away too.
  const seenTop = useRef(0);
  const look = () => {
    const scroller = box.current;
    if (!scroller) return;
    const { scrollTop } = scroller;
    if (scroller.scrollHeight - scrollTop - scroller.clientHeight < atEndPx) view.following.value = true;
    else if (scrollTop < seenTop.current) view.following.value = false;
    seenTop.current = scrollTop;
  };
  const goToEnd = () => {
    view.following.value = true;
    box.current?.scrollTo({ top: box.current.scrollHeight, behavior: 'smooth' });
  };

  return (
    <div class="conversation">
      <div
        ref={box}
        class="conversation-box"
        tabIndex={0}
        onScroll={look}
        role="log"
        aria-live="off"
        aria-label={strings.value.page.conversation}
      >
        <div ref={content} class="conversation-content" data-empty={path.length === 0}>
          {path.length === 0 ? (
            <Welcome />
          ) : (
            <>
              <h1 class="off-screen">{chats.open.value?.title || strings.value.sidebar.untitled}</h1>
              {shown.map((message, index) => (
                <Turn key={message.id} message={message} isLast={index === path.length - 1} />
              ))}
              {compared >= 0 && <Later load={comparison} />}
            </>
          )}
        </div>
      </div>
      <ToEnd onClick={goToEnd} />
    </div>
  );
}

function Turn({ message, isLast }: { readonly message: Message; readonly isLast: boolean }): VNode {
  if (message.role === 'user') return <UserTurn message={message} />;
  return <Answer message={message} isLast={isLast} />;
}

/** Shown while the reader is elsewhere. */
function ToEnd({ onClick }: { readonly onClick: () => void }): VNode {
  const { view, chats } = usePage();
  const hidden = useComputed(() => view.following.value || chats.path.value.length === 0);
  const button = useRef<HTMLButtonElement>(null);
  useSignalEffect(() => {
    if (button.current) button.current.inert = hidden.value;
  });
  return (
    <button
      ref={button}
      type="button"
      class="to-end"
      data-hidden={hidden.value}
      inert={hidden.value}
      onClick={onClick}
      aria-label={strings.value.message.newText}
      title={strings.value.message.newText}
    >
      <Icon name="down" />
    </button>
  );
}
