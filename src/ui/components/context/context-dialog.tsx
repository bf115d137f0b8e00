import { useSignal, useSignalEffect } from '@preact/signals';
import type { VNode } from 'preact';
import { ApiFailure, member } from '../../api/failure.ts';
import { beginnings, exchangesOf, proposeCut, rereadAfter, type Sized } from '../../chats/exchanges.ts';
import { wireMessages } from '../../chats/request.ts';
import { imagesOf } from '../../state/files.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { Dialog } from '../dialogs.tsx';
import { IconButton } from '../icon-button.tsx';
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

function Row({ row, reread }: { readonly row: Sized; readonly reread: number }): VNode {
  const { chats } = usePage();
  const { context: t, format } = strings.value;
  const name = row.title || strings.value.sidebar.untitled;
  const note = reread > 0 ? t.reread(format.number(reread)) : t.rereadNone;
  return (
    <li data-muted={row.muted}>
      <span class="context-title" dir="auto" title={row.title}>
        {name}
      </span>
      <span class="context-tokens">
        {row.muted ? t.muted : row.tokens === undefined ? '…' : t.tokens(format.number(row.tokens))}
      </span>
      <IconButton
        icon="pin"
        label={row.pinned ? t.unpin(name) : t.pin(name)}
        pressed={row.pinned}
        onClick={() => chats.mark(row.ids, { pinned: !row.pinned })}
      />
      <button
        type="button"
        class="chip-button"
        title={note}
        aria-label={`${row.muted ? t.unmuteName(name) : t.muteName(name)}. ${note}`}
        onClick={() => chats.mark(row.ids, { muted: !row.muted })}
      >
        {row.muted ? t.unmute : t.mute}
      </button>
    </li>
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
          chats.mark(ids, { muted: true });
          const back = { label: strings.value.undo, run: () => void chats.mark(ids, { muted: false }) };
          toasts.show(t.cut(count, cut.length === 1), back);
        }}
      >
        {t.cutNow}
      </button>
    </div>
  );
}

/** How long the prompt is up to the end of each part, as far as it is counted. */
function useLengths() {
  const { api, chats, files, prompt, requestSettings, server } = usePage();
  const lengths = useSignal<readonly number[]>([]);
  useSignalEffect(() => {
    const path = chats.path.value;
    const left = new AbortController();
    const { signal } = left;
    const settings = requestSettings();
    const count = async () => {
      await files.load(imagesOf(path));
      const parts = beginnings(wireMessages(path, prompt()));
      const found: number[] = [];
      for (const [index, messages] of parts.entries()) {
        // Nothing at all has no length of its own.
        found.push(messages.length === 0 ? 0 : await lengthOf(messages, index === 0));
        if (signal.aborted) return;
        lengths.value = [...found];
      }
    };
    const lengthOf = async (messages: readonly object[], mayFail: boolean) => {
      const body = { ...settings, messages, continue_final_message: false };
      try {
        const answer = await api.call<unknown>('v1/chat/completions/input_tokens', { body, signal });
        const tokens = member(answer, 'input_tokens');
        return typeof tokens === 'number' ? tokens : 0;
      } catch (failure) {
        // Some templates have no prompt in which nobody asks anything.
        if (mayFail && failure instanceof ApiFailure && failure.status === 400) return 0;
        throw failure;
      }
    };
    if (server.phase.value === 'ready')
      count().catch((failure: unknown) => {
        if (!signal.aborted && !(failure instanceof ApiFailure)) throw failure;
      });
    return () => left.abort('another prompt');
  });
  return lengths;
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
