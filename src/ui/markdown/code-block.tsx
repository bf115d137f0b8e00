import { useSignal } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { CopyButton } from '../components/copy-button.tsx';
import { IconButton } from '../components/icon-button.tsx';
import { Later } from '../components/later.tsx';
import { strings } from '../strings/strings.ts';
import { highlight, prepareColours } from './highlight.ts';
import type { Highlighted } from './highlighter.ts';

export interface CodeBlockProps {
  readonly code: string;
  readonly language: string;
  /** Its end has not come: colours wait, so that each line is looked at once. */
  readonly open: boolean;
}

const preview = () => import('../components/preview/preview.tsx').then(({ Preview }) => Preview);

/** So many lines make a part of their own: of a long code that grows only its last part is drawn again. */
const linesInPart = 60;

export function CodeBlock({ code, language, open }: CodeBlockProps): VNode {
  const wrapped = useSignal(false);
  const shown = useSignal(false);
  const t = strings.value.code;
  // Its first character has come: so has all of the language's name.
  const named = code !== '';
  useEffect(() => {
    if (named) prepareColours(language);
  }, [named, language]);
  return (
    <figure class="code-block" data-wrapped={wrapped.value} dir="ltr">
      <figcaption>
        <span class="code-language">{language || t.plain}</span>
        {!open && canBeSeen(code, language) && (
          <IconButton
            icon="eye"
            label={t.preview}
            pressed={shown.value}
            onClick={() => {
              shown.value = !shown.value;
            }}
          />
        )}
        <IconButton
          icon="wrap"
          label={t.wrap}
          pressed={wrapped.value}
          onClick={() => {
            wrapped.value = !wrapped.value;
          }}
        />
        <CopyButton text={() => code} label={t.copy} />
      </figcaption>
      {shown.value && !open ? (
        <Later load={preview} props={{ code }} />
      ) : (
        <pre tabIndex={0} role="region" aria-label={language || t.plain}>
          <code>{open ? <PlainCode code={code} /> : <ColouredCode code={code} language={language} />}</code>
        </pre>
      )}
    </figure>
  );
}

/** What a browser draws by itself. */
function canBeSeen(code: string, language: string): boolean {
  return /^(?:html?|xhtml|svg)$/i.test(language) || /^\s*<(?:svg|!doctype html)[\s>]/i.test(code);
}

function PlainCode({ code }: { readonly code: string }): VNode {
  const parts = useMemo(() => linesInParts(code), [code]);
  return (
    <>
      {parts.map((part, index) => (
        <span key={index}>{part}</span>
      ))}
    </>
  );
}

function ColouredCode({ code, language }: Omit<CodeBlockProps, 'open'>): VNode {
  const parts = highlight(code, language);
  if (!parts) return <PlainCode code={code} />;
  return <>{drawn(parts)}</>;
}

function drawn(parts: Highlighted): ComponentChildren {
  return parts.map((part, index) =>
    typeof part === 'string' ? (
      part
    ) : (
      <span key={index} class={classOf(part.scope)}>
        {drawn(part.parts)}
      </span>
    ),
  );
}

/** `title.function` is a title and a function. */
function classOf(scope: string): string | undefined {
  if (scope === '' || scope.startsWith('language:')) return undefined;
  const [first, ...rest] = scope.split('.');
  return [`hljs-${first}`, ...rest.map((name) => `${name}_`)].join(' ');
}

function linesInParts(code: string): string[] {
  const lines = code.split('\n');
  const parts: string[] = [];
  for (let from = 0; from < lines.length; from += linesInPart) {
    const last = from + linesInPart >= lines.length;
    parts.push(lines.slice(from, from + linesInPart).join('\n') + (last ? '' : '\n'));
  }
  return parts;
}
