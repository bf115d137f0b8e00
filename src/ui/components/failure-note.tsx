import type { VNode } from 'preact';
import type { Failure } from '../chats/message.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { CopyButton } from './copy-button.tsx';
import { Icon } from './icon.tsx';

/** What went wrong, in the server's words, and what can be done. */
export function FailureNote({ failure }: { readonly failure: Failure }): VNode {
  const t = strings.value.failure;
  if (failure.code === 'context_length_exceeded') return <ContextFull message={failure.message} />;
  const report = [failure.message, failure.code, failure.requestId].filter((part) => part !== undefined).join('\n');
  return (
    <div class="failure-note">
      <Icon name="alert" />
      <div class="failure-text">
        <p dir="auto">{failure.message}</p>
        {failure.requestId && <p class="fine">{t.requestId(failure.requestId)}</p>}
      </div>
      <CopyButton text={() => report} label={strings.value.message.copy} />
    </div>
  );
}

/** Never the raw error: how much there is, of how much. */
function ContextFull({ message }: { readonly message: string }): VNode {
  const { view } = usePage();
  const { failure: t, format } = strings.value;
  const [needed, available] = numbersIn(message);
  return (
    <div class="failure-note context-full">
      <Icon name="alert" />
      <div class="failure-text">
        <p>{t.contextFull}</p>
        {needed !== undefined && available !== undefined && (
          <>
            <div class="meter" role="img" aria-label={t.needed(format.number(needed), format.number(available))}>
              <span class="meter-share" style={{ inlineSize: `${Math.min(100, (available / needed) * 100)}%` }} />
            </div>
            <p class="fine">{t.needed(format.number(needed), format.number(available))}</p>
          </>
        )}
        <p class="fine">{t.contextHint}</p>
        <button
          type="button"
          class="chip-button"
          aria-haspopup="dialog"
          onClick={() => {
            view.dialog.value = 'context';
          }}
        >
          {t.makeRoom}
        </button>
      </div>
    </div>
  );
}

/** The greater is what is needed. */
function numbersIn(message: string): [number?, number?] {
  const numbers = [...message.matchAll(/\d+/g)].map(([digits]) => Number(digits)).filter((value) => value > 1);
  const [first, second] = numbers.sort((left, right) => right - left);
  return first === undefined || second === undefined ? [] : [first, second];
}
