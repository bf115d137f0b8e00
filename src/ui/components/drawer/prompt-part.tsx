import { useSignal, useSignalEffect } from '@preact/signals';
import type { VNode } from 'preact';
import { member, reasonOf } from '../../api/failure.ts';
import { wireMessages } from '../../chats/request.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';

interface Shown {
  readonly pieces: readonly string[];
  /** So many of them are read already; an estimate. */
  readonly cached: number;
}

/** More than this at once would make the page slow: the end is what is being worked on. */
const mostPieces = 6000;

/** The chat as the template writes it, token by token: what a person wrote can never be a control token here. */
export function PromptPart(): VNode {
  const { api, chats, composer, requestSettings, prompt, server } = usePage();
  const { drawer: t, format } = strings.value;
  const shown = useSignal<Shown | undefined>(undefined);
  const failure = useSignal('');
  useSignalEffect(() => {
    const messages = wireMessages(chats.path.value, prompt());
    const cached = composer.price.value?.cached ?? 0;
    if (server.phase.value !== 'ready' || messages.length === 0) {
      shown.value = undefined;
      return undefined;
    }
    const left = new AbortController();
    const body = { ...requestSettings(), messages, with_pieces: true };
    api.call<unknown>('tokenize', { body, signal: left.signal }).then(
      (answer) => {
        failure.value = '';
        shown.value = { pieces: piecesIn(answer), cached };
      },
      (thrown: unknown) => {
        if (left.signal.aborted) return;
        failure.value = reasonOf(thrown);
      },
    );
    return () => left.abort('another prompt');
  });
  if (failure.value !== '') return <p class="fine">{failure.value}</p>;
  if (!shown.value) return <p class="fine">{t.noPrompt}</p>;
  const { pieces, cached } = shown.value;
  const from = Math.max(0, pieces.length - mostPieces);
  return (
    <>
      <p class="fine">
        {t.promptTokens(format.number(pieces.length))}
        {from > 0 && ` · ${t.promptEnd(format.number(mostPieces))}`}
      </p>
      <pre class="prompt-view" tabIndex={0} role="region" aria-label={t.prompt}>
        {pieces.slice(from).map((piece, index) => (
          <span key={from + index} data-read={from + index < cached}>
            {piece}
          </span>
        ))}
      </pre>
      {cached > 0 && <p class="fine">{t.promptRead}</p>}
    </>
  );
}

function piecesIn(answer: unknown): string[] {
  const tokens = member(answer, 'tokens');
  if (!Array.isArray(tokens)) return [];
  return tokens.map((token: unknown) => {
    const piece = member(token, 'piece');
    // A part of a character comes as its bytes.
    return typeof piece === 'string' ? piece : '\u00b7';
  });
}
