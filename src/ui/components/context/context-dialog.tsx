import { type Signal, useComputed, useSignal } from '@preact/signals';
import type { RefObject, VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { exchangesOf, proposeCut, rereadAfter, type Sized } from '../../chats/exchanges.ts';
import { proposedShort } from '../../chats/shorten.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { Dialog } from '../dialogs.tsx';
import { IconButton } from '../icon-button.tsx';
import { ShortenPanel } from './shorten-panel.tsx';
import { useLengths } from './use-lengths.ts';
import '../../styles/context.css';

/** What the prompt is made of, part by part, with its exact tokens; and what of it goes along with the next message. */
export function ContextDialog(): VNode {
  const { view, chats, server } = usePage();
  const { context: t, format } = strings.value;
  const lengths = useLengths();
  const counted = lengths.value;
  const size = server.facts.value?.contextSize;
  const rows = sized(exchangesOf(chats.path.value), counted);
  const before = counted[0];
  const total = counted.at(-1) ?? 0;
  const whole = Math.max(size ?? 0, total, 1);
  return (
    <Dialog
      title={t.title}
      class="context-dialog"
      onClose={() => {
        view.dialog.value = undefined;
      }}
    >
      <p class="context-bar" role="img" aria-label={t.used(format.number(total), format.number(whole))}>
        {before !== undefined && <span data-part="before" style={{ flexGrow: before / whole }} />}
        {rows.map(({ ids, tokens = 0, pinned }) => (
          <span key={ids[0]} data-part={pinned ? 'pinned' : 'turn'} style={{ flexGrow: tokens / whole }} />
        ))}
        <span data-part="room" style={{ flexGrow: Math.max(0, whole - total) / whole }} />
      </p>
      <p class="fine">{t.used(format.number(total), format.number(whole))}</p>
      <Proposal rows={rows} total={total} />
      <ol class="context-rows">
        {before !== undefined && before > 0 && (
          <li>
            <span class="context-title">{t.before}</span>
            <span class="context-tokens">{t.tokens(format.number(before))}</span>
          </li>
        )}
        {rows.map((row, index) => (
          <Row key={row.ids[0]} row={row} reread={rereadAfter(rows, index)} />
        ))}
      </ol>
      {rows.length === 0 && <p class="fine">{t.empty}</p>}
    </Dialog>
  );
}

interface RowProps {
  readonly row: Sized;
  readonly reread: number;
}

function Row({ row, reread }: RowProps): VNode {
  const { chats } = usePage();
  const shortening = useSignal(false);
  const opener = useRef<HTMLButtonElement>(null);
  const { context: t, format } = strings.value;
  const name = row.title || strings.value.sidebar.untitled;
  const note = reread > 0 ? t.reread(format.number(reread)) : t.rereadNone;
  return (
    <li data-muted={row.muted}>
      <span class="context-title" dir="auto" title={row.title}>
        {name}
      </span>
      <span class="context-tokens">{tokensText(row)}</span>
      <span class="context-actions">
        <IconButton
          icon="pin"
          label={row.pinned ? t.unpin(name) : t.pin(name)}
          pressed={row.pinned}
          onClick={() => chats.mark(row.ids, { pinned: !row.pinned })}
        />
        <ShortenButton row={row} opener={opener} shortening={shortening} />
        <button
          type="button"
          class="chip-button"
          title={note}
          aria-label={`${row.muted ? t.unmuteName(name) : t.muteName(name)}. ${note}`}
          onClick={() => chats.mark(row.ids, { muted: !row.muted })}
        >
          {row.muted ? t.unmute : t.mute}
        </button>
      </span>
      {shortening.value && !row.muted && (
        <ShortenPanel
          row={row}
          reread={reread}
          done={() => {
            shortening.value = false;
            opener.current?.focus();
          }}
        />
      )}
    </li>
  );
}

function tokensText({ muted, tokens }: Sized): string {
  const { context: t, format } = strings.value;
  if (muted) return t.muted;
  if (tokens === undefined) return '…';
  return t.tokens(format.number(tokens));
}

interface ShortenButtonProps {
  readonly row: Sized;
  readonly opener: RefObject<HTMLButtonElement | null>;
  readonly shortening: Signal<boolean>;
}

function ShortenButton({ row, opener, shortening }: ShortenButtonProps): VNode {
  const { chats, runs } = usePage();
  const t = strings.value.context;
  const name = row.title || strings.value.sidebar.untitled;
  const isShort = useComputed(() =>
    chats.path.value.every((message) => !row.ids.includes(message.id) || proposedShort(message) === undefined),
  ).value;
  const isWritten = row.ids.some((id) => runs.live.value.has(id));
  const why = isWritten ? t.stillWritten : isShort && !row.shortened ? t.shortEnough : undefined;
  return (
    <button
      ref={opener}
      type="button"
      class="chip-button"
      title={why}
      disabled={why !== undefined || row.muted}
      aria-expanded={shortening.value}
      aria-label={row.shortened ? t.shortenedName(name) : t.shortenName(name)}
      onClick={() => {
        shortening.value = !shortening.value;
      }}
    >
      {row.shortened ? t.shortened : t.shorten}
    </button>
  );
}

/** Shown when it gets narrow; nothing goes without being asked for, and what went comes back. */
function Proposal({ rows, total }: { readonly rows: readonly Sized[]; readonly total: number }): VNode | null {
  const { chats, server, toasts } = usePage();
  const { context: t, format } = strings.value;
  const size = server.facts.value?.contextSize;
  if (size === undefined || total < size * 0.8) return null;
  const cut = proposeCut(rows, total, size);
  if (cut.length === 0) return null;
  const ids = cut.flatMap((row) => row.ids);
  const tokens = format.number(cut.reduce((sum, row) => sum + (row.tokens ?? 0), 0));
  const count = format.number(cut.length);
  return (
    <div class="context-proposal">
      <span>{t.propose(count, tokens, cut.length === 1)}</span>
      <button
        type="button"
        class="primary"
        onClick={() => {
          const back = { label: strings.value.undo, run: chats.mark(ids, { muted: true }) };
          toasts.show(t.cut(count, cut.length === 1), back);
        }}
      >
        {t.cutNow}
      </button>
    </div>
  );
}

/** Lengths are of what goes along: what is left out has none. */
function sized(exchanges: ReturnType<typeof exchangesOf>, lengths: readonly number[]): Sized[] {
  let at = 0;
  return exchanges.map((exchange) => {
    if (exchange.muted) return { ...exchange, tokens: undefined };
    at += 1;
    const [end, start] = [lengths[at], lengths[at - 1]];
    return { ...exchange, tokens: end === undefined || start === undefined ? undefined : end - start };
  });
}
