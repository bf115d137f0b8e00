import type { VNode } from 'preact';
import { useId, useRef } from 'preact/hooks';
import type { AnswerFigures, AssistantMessage } from '../chats/message.ts';
import { adviceFor, timeSpent } from '../chats/slowness.ts';
import { strings } from '../strings/strings.ts';

/** What the answer took; all of it behind a click. The numbers are the server's `timings` and `usage`. */
export function Figures({ message }: { readonly message: AssistantMessage }): VNode | null {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const { figures } = message;
  if (!figures) return null;
  const { figures: t, format } = strings.value;
  const rows: readonly (readonly [string, string])[] = [
    ...(message.model === undefined ? [] : ([[t.model, message.model]] as const)),
    [t.promptTokens, format.number(figures.promptTokens)],
    [t.cachedTokens, format.number(figures.cachedTokens)],
    [t.queue, format.duration(figures.queueMs)],
    [t.promptTime, `${format.duration(figures.promptMs)} · ${t.rate(format.rate(figures.promptPerSecond))}`],
    [t.answerTokens, format.number(figures.answerTokens)],
    [t.thoughtTokens, format.number(figures.thoughtTokens)],
    [t.answerTime, `${format.duration(figures.predictedMs)} · ${t.rate(format.rate(figures.predictedPerSecond))}`],
    ...(message.seed === undefined ? [] : ([[t.seed, String(message.seed)]] as const)),
  ];
  const place = () => {
    const at = button.current?.getBoundingClientRect();
    if (!at || !panel.current) return;
    const { offsetWidth: width, offsetHeight: height } = panel.current;
    panel.current.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    panel.current.style.top = `${at.top - height - 6 > 8 ? at.top - height - 6 : at.bottom + 6}px`;
  };
  return (
    <>
      <button ref={button} type="button" class="figures" popovertarget={id} title={t.name}>
        <span>{t.rate(format.rate(figures.predictedPerSecond))}</span>
        <span>{t.tokens(format.number(figures.answerTokens), figures.answerTokens === 1)}</span>
      </button>
      <div
        ref={panel}
        id={id}
        class="menu figures-panel"
        popover="auto"
        onToggle={(event) => {
          if (event.newState === 'open') place();
        }}
      >
        <dl>
          {rows.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <TimeBar figures={figures} />
      </div>
    </>
  );
}

/** Why it took as long as it did, as one bar, and the one thing that would help. */
function TimeBar({ figures }: { readonly figures: AnswerFigures }): VNode | null {
  const { figures: t, format } = strings.value;
  const all = Object.entries(timeSpent(figures));
  const total = all.reduce((sum, [, ms]) => sum + ms, 0);
  const parts = all.filter(([, ms]) => ms >= total / 100);
  if (total === 0) return null;
  const names: Readonly<Record<string, string>> = t.spent;
  const said = parts.map(([name, ms]) => `${names[name]} ${format.percent(ms / total)}`);
  const advice = adviceFor(figures);
  return (
    <div class="time-spent">
      <p class="time-bar" role="img" aria-label={said.join(', ')}>
        {parts.map(([name, ms]) => (
          <span key={name} data-part={name} style={{ flexGrow: ms / total }} />
        ))}
      </p>
      <p class="time-names">{said.join(' · ')}</p>
      {advice && <p class="time-advice">{t.advice[advice]}</p>}
    </div>
  );
}
