import type { MarkedToken, Token } from 'marked';
import type { ComponentChildren } from 'preact';
import { strings } from '../strings/strings.ts';
import { decodeEntities } from './entities.ts';
import { Formula } from './math.tsx';
import type { MathToken } from './math-tokens.ts';

/** What stands within a line, as elements. */
export function renderInline(tokens: readonly Token[] | undefined): ComponentChildren {
  return tokens?.map((token, index) => <Inline key={index} token={token as MarkedToken | MathToken} />);
}

function Inline({ token }: { readonly token: MarkedToken | MathToken }): ComponentChildren {
  switch (token.type) {
    case 'text':
      return token.tokens ? renderInline(token.tokens) : decodeEntities(token.text);
    case 'escape':
      return decodeEntities(token.text);
    case 'strong':
      return <strong>{renderInline(token.tokens)}</strong>;
    case 'em':
      return <em>{renderInline(token.tokens)}</em>;
    case 'del':
      return <del>{renderInline(token.tokens)}</del>;
    case 'codespan':
      return <code class="inline-code">{token.text}</code>;
    case 'br':
      return <br />;
    case 'link':
      return <Link href={token.href}>{renderInline(token.tokens)}</Link>;
    case 'image':
      // Pictures of other places are not loaded: whoever made the text would learn who reads it.
      return <Link href={token.href}>{token.text || token.href.slice(0, 80)}</Link>;
    case 'checkbox':
      return (
        <input
          type="checkbox"
          checked={token.checked}
          disabled
          aria-label={token.checked ? strings.value.message.done : strings.value.message.open}
        />
      );
    case 'math':
      return <Formula tex={token.text} display={token.display} />;
    case 'html':
      return /^<br\s*\/?>$/i.test(token.text) ? <br /> : token.text;
    default:
      return token.raw;
  }
}

interface LinkProps {
  readonly href: string;
  readonly children: ComponentChildren;
}

/** Only what leads to a page or a mail is a link; of everything else the address is shown. */
function Link({ href, children }: LinkProps): ComponentChildren {
  const address = decodeEntities(href);
  if (!isSafe(address))
    return (
      <span class="dead-link" title={address.slice(0, 200)}>
        {children}
      </span>
    );
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function isSafe(address: string): boolean {
  return URL.canParse(address) && ['http:', 'https:', 'mailto:'].includes(new URL(address).protocol);
}
