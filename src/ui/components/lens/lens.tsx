import { useComputed, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useId, useMemo, useRef } from 'preact/hooks';
import type { Candidate, PlacedToken } from '../../chats/lens.ts';
import { othersOf, type Span, spansOf } from '../../chats/lens-spans.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { moveAmong, placeBeside } from '../menu.tsx';
import '../../styles/lens.css';

export interface LensProps {
  readonly text: string;
  /** Of this text, and all of its answer. */
  readonly tokens: readonly PlacedToken[];
  /** The answer, and which of its blocks this is. */
  readonly id: string;
  readonly block: number;
}

/** A text as its tokens, each on the ground of its probability. One of them is in the order of the tabulator; arrows move. */
export function Lens({ text, tokens, id, block }: LensProps): VNode {
  const t = strings.value.lens;
  const spans = useMemo(() => spansOf(text, tokens, block), [text, tokens, block]);
  const firstToken = spans.findIndex(({ token }) => token);
  const reached = useSignal(firstToken);
  const chosen = useSignal<Span | undefined>(undefined);
  const menu = useRef<HTMLDivElement>(null);
  const menuId = useId();
  const shown = useRef<HTMLElement>(null);
  const show = (index: number, element: HTMLElement) => {
    reached.value = index;
    chosen.value = spans[index];
    shown.current = element;
    menu.current?.showPopover();
  };
  const stop = spans[reached.value]?.token ? reached.value : firstToken;
  return (
    <>
      <div
        class="lens"
        role="toolbar"
        dir="auto"
        aria-label={t.name}
        onKeyDown={moveToNext}
        onFocusIn={({ target }) => {
          const index = target instanceof HTMLElement ? Number(target.dataset.index) : Number.NaN;
          if (Number.isInteger(index)) reached.value = index;
        }}
      >
        {spans.map((span, index) =>
          span.token ? (
            <Token
              key={span.start}
              span={span}
              token={span.token}
              index={index}
              isStop={index === stop}
              menuId={menuId}
              onChoose={show}
            />
          ) : (
            <span key={span.start}>{span.text}</span>
          ),
        )}
      </div>
      <div
        ref={menu}
        id={menuId}
        class="menu lens-menu"
        role="menu"
        aria-label={t.alternatives}
        tabIndex={-1}
        popover="auto"
        onKeyDown={(event) => moveAmong(menu.current, event)}
        onToggle={(event) => {
          if (event.newState === 'open' && shown.current) placeBeside(menu.current, shown.current);
        }}
      >
        {chosen.value?.token && (
          <Alternatives
            id={id}
            block={block}
            tokens={tokens}
            span={chosen.value}
            token={chosen.value.token}
            onTaken={() => menu.current?.hidePopover()}
          />
        )}
      </div>
    </>
  );
}

interface TokenProps {
  readonly span: Span;
  readonly token: PlacedToken;
  readonly index: number;
  readonly isStop: boolean;
  readonly menuId: string;
  readonly onChoose: (index: number, element: HTMLElement) => void;
}

function Token({ span, token, index, isStop, menuId, onChoose }: TokenProps): VNode {
  const share = shareOf(token.probability);
  // A button of its own kind would be a box: text could not break inside it.
  return (
    <span
      role="button"
      class="lens-token"
      tabIndex={isStop ? 0 : -1}
      data-index={index}
      data-sure={sureness(token.probability)}
      data-break={span.text.startsWith('\n')}
      title={share}
      aria-label={`${quoted(span.text)}, ${share}`}
      aria-haspopup="menu"
      aria-controls={menuId}
      onClick={(event) => onChoose(index, event.currentTarget)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        onChoose(index, event.currentTarget);
      }}
    >
      {span.text}
    </span>
  );
}

interface AlternativesProps extends Omit<LensProps, 'text'> {
  readonly span: Span;
  readonly token: PlacedToken;
  readonly onTaken: () => void;
}

/** What could have stood there. The first line is what does. */
function Alternatives({ id, block, tokens, span, token, onTaken }: AlternativesProps): VNode {
  const { chats, runs, view } = usePage();
  const { lens: t } = strings.value;
  const isBusy = useComputed(
    () => runs.live.value.size > 0 && runs.ofChat(chats.open.value?.id ?? '') !== undefined,
  ).value;
  const others = othersOf(token);
  const take = (other: Candidate) => {
    onTaken();
    const begun = [...tokens.slice(0, span.before), { ...token, ...other }];
    chats.branch(id, { block, start: span.start, text: other.text, tokens: begun });
    view.focusComposer.value += 1;
  };
  return (
    <>
      <button type="button" role="menuitem" disabled>
        <code>{quoted(token.text)}</code>
        <span class="lens-share">{shareOf(token.probability)}</span>
      </button>
      {others.map((other) => (
        <button
          key={other.text}
          type="button"
          role="menuitem"
          disabled={isBusy}
          aria-label={t.take(quoted(other.text), shareOf(other.probability))}
          onClick={() => take(other)}
        >
          <code>{quoted(other.text)}</code>
          <span class="lens-share">{shareOf(other.probability)}</span>
        </button>
      ))}
      {others.length === 0 && (
        <button type="button" role="menuitem" disabled>
          {t.none}
        </button>
      )}
    </>
  );
}

function moveToNext(event: KeyboardEvent): void {
  const { currentTarget: line } = event;
  if (!(line instanceof HTMLElement)) return;
  const tokens: (Element | null)[] = [...line.querySelectorAll('.lens-token')];
  const now = tokens.indexOf(document.activeElement);
  const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tokens.length - 1 }[event.key];
  const next = to === undefined ? undefined : tokens[to];
  if (!(next instanceof HTMLElement)) return;
  event.preventDefault();
  next.focus();
}

/** Line ends are shown as such: a token may be nothing else. */
function quoted(text: string): string {
  return strings.value.lens.quoted(text.replaceAll('\n', '⏎'));
}

/** In percent; what is rare is not told to be impossible. */
function shareOf(probability: number): string {
  const { format } = strings.value;
  return probability < 0.01 ? `< ${format.percent(0.01)}` : format.percent(probability);
}

/** For colours; one that is nearly certain has none. */
function sureness(probability: number): 'sure' | 'likely' | 'open' | 'unlikely' {
  if (probability >= 0.9) return 'sure';
  if (probability >= 0.5) return 'likely';
  return probability >= 0.2 ? 'open' : 'unlikely';
}
