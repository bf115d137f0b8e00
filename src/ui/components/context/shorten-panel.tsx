import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { ApiFailure } from '../../api/failure.ts';
import type { Sized } from '../../chats/exchanges.ts';
import type { Message } from '../../chats/message.ts';
import { readText, wireMessages } from '../../chats/request.ts';
import { hasCalls, proposedShort, type Shorts, shortened } from '../../chats/shorten.ts';
import { imagesOf } from '../../state/files.ts';
import { usePage } from '../../state/page.ts';
import { countAfterMs, priceOf } from '../../state/price.ts';
import { strings } from '../../strings/strings.ts';
import { GrowingField } from '../growing-field.tsx';
import { SumUpButton } from './sum-up-button.tsx';

export interface ShortenPanelProps {
  readonly row: Sized;
  /** Tokens behind this turn: they are read anew. */
  readonly reread: number;
  readonly done: () => void;
}

/** What the model is to read of a turn in place of the whole: proposed, counted before it counts, changed at will. */
export function ShortenPanel({ row, reread, done }: ShortenPanelProps): VNode {
  const { chats, toasts } = usePage();
  const { context: t, format } = strings.value;
  const turn = useComputed(() => chats.path.value.filter(({ id }) => row.ids.includes(id)));
  const messages = turn.value;
  const drafts = useSignal<Shorts>(proposals(messages));
  const asking = useComputed(() => usable(turn.value, drafts.value));
  const asked = asking.value;
  const saved = useSaved(asking);
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const field = panel.current?.querySelector('textarea');
    field?.focus();
    // What stays is seen from its beginning.
    field?.setSelectionRange(0, 0);
    field?.scrollTo({ top: 0 });
  }, []);
  const change = (id: string, text: string | undefined) => {
    drafts.value = new Map(drafts.value).set(id, text);
  };
  const apply = (shorts: Shorts, told: string) => {
    toasts.show(told, { label: strings.value.undo, run: chats.shorten(shorts) });
    done();
  };
  return (
    <div
      ref={panel}
      class="shorten-panel"
      role="group"
      aria-label={t.shortenName(row.title || strings.value.sidebar.untitled)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        // It closes what was opened last, not the whole dialog with what was written here.
        event.preventDefault();
        event.stopPropagation();
        done();
      }}
    >
      <p class="fine">{t.shortHint}</p>
      {messages.map((message) => (
        <Part key={message.id} message={message} draft={drafts.value.get(message.id)} change={change} />
      ))}
      <div class="shorten-actions">
        <span class="fine" role="status">
          {saved === undefined ? '' : savedText(saved, reread)}
        </span>
        <button type="button" class="quiet" onClick={done}>
          {strings.value.cancel}
        </button>
        {row.shortened && (
          <button
            type="button"
            class="quiet"
            onClick={() => apply(new Map(row.ids.map((id) => [id, undefined])), t.wasMadeWhole)}
          >
            {t.readWhole}
          </button>
        )}
        <button
          type="button"
          class="primary"
          disabled={isUnchanged(messages, asked)}
          onClick={() => apply(asked, saved && saved > 0 ? t.wasShortened(format.number(saved)) : t.wasChanged)}
        >
          {t.shortenNow}
        </button>
      </div>
    </div>
  );
}

interface PartProps {
  readonly message: Message;
  /** Undefined: it is read whole. */
  readonly draft: string | undefined;
  readonly change: (id: string, text: string | undefined) => void;
}

function Part({ message, draft, change }: PartProps): VNode {
  const { context: t, format } = strings.value;
  const name = message.role === 'user' ? t.shortQuestion : t.shortAnswer;
  const whole = readText(message);
  return (
    <fieldset class="shorten-part">
      <label class="check">
        <input
          type="checkbox"
          checked={draft !== undefined}
          onChange={({ currentTarget }) =>
            change(message.id, currentTarget.checked ? (message.short ?? proposedShort(message) ?? whole) : undefined)
          }
        />
        {name}
        <span class="fine">{t.characters(format.number(whole.length))}</span>
      </label>
      {draft !== undefined && (
        <>
          <GrowingField value={draft} label={name} onInput={(text) => change(message.id, text)} />
          <SumUpButton text={whole} write={(text) => change(message.id, text)} />
          {hasCalls(message) && <p class="fine">{t.shortCalls}</p>}
        </>
      )}
    </fieldset>
  );
}

function proposals(messages: readonly Message[]): Shorts {
  return new Map(messages.map((message) => [message.id, message.short ?? proposedShort(message)]));
}

/** Nothing at all would be no short form: that is what leaving out is for. Nor is the whole one. */
function usable(messages: readonly Message[], drafts: Shorts): Shorts {
  return new Map(
    messages.map((message) => {
      const text = drafts.get(message.id);
      const isOne = text?.trim() !== '' && (text !== readText(message) || hasCalls(message));
      return [message.id, isOne ? text : undefined];
    }),
  );
}

function isUnchanged(messages: readonly Message[], asked: Shorts): boolean {
  return messages.every((message) => message.short === asked.get(message.id));
}

function savedText(saved: number, reread: number): string {
  const { context: t, format } = strings.value;
  const note = reread > 0 ? t.reread(format.number(reread)) : t.rereadNone;
  return saved >= 0 ? `${t.saves(format.number(saved))} ${note}` : t.costs(format.number(-saved));
}

/** How many tokens the whole prompt would lose, as the server counts it. */
function useSaved(asked: ReadonlySignal<Shorts>): number | undefined {
  const { api, chats, environment, files, prompt, requestSettings } = usePage();
  const saved = useSignal<number | undefined>(undefined);
  useSignalEffect(() => {
    const now = chats.path.value;
    const then = shortened(now, asked.value);
    const left = new AbortController();
    saved.value = undefined;
    const tokensOf = async (path: readonly Message[]) => {
      const body = { ...requestSettings(), messages: wireMessages(path, prompt()), continue_final_message: false };
      return (await priceOf(api, body, left.signal))?.tokens;
    };
    const count = async () => {
      await files.load(imagesOf(now));
      const [before, after] = await Promise.all([tokensOf(now), tokensOf(then)]);
      if (before !== undefined && after !== undefined) saved.value = before - after;
    };
    const cancel = environment.after(countAfterMs(now), () => {
      count().catch((failure: unknown) => {
        if (!left.signal.aborted && !(failure instanceof ApiFailure)) throw failure;
      });
    });
    return () => {
      cancel();
      left.abort('another text');
    };
  });
  return saved.value;
}
