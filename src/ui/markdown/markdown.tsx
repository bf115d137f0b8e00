import type { Token, Tokens } from 'marked';
import { Component, type ComponentChildren, type VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { type BlockToken, GrowingBlocks } from './blocks.ts';
import { CodeBlock } from './code-block.tsx';
import { decodeEntities } from './entities.ts';
import { renderInline } from './inline.tsx';
import { Formula } from './math.tsx';

export interface MarkdownProps {
  readonly text: string;
  /** More is coming: the last block is not finished. */
  readonly growing?: boolean;
}

/** A text in markdown, as it is or as it grows. */
export function Markdown({ text, growing = false }: MarkdownProps): VNode {
  const blocks = useRef<GrowingBlocks>(undefined);
  blocks.current ??= new GrowingBlocks();
  blocks.current.update(text);
  const all = blocks.current.blocks;
  return (
    <div class="markdown" dir="auto">
      {all.map((token, index) => (
        <Block key={index} token={token} open={growing && index === all.length - 1} />
      ))}
    </div>
  );
}

interface BlockProps {
  readonly token: BlockToken;
  readonly open: boolean;
}

/** Is drawn again only when its token is another one: closed blocks are left alone. */
class Block extends Component<BlockProps> {
  override shouldComponentUpdate(next: BlockProps): boolean {
    return next.token !== this.props.token || next.open !== this.props.open;
  }

  override render(): ComponentChildren {
    return renderBlock(this.props.token, this.props.open);
  }
}

function renderBlock(token: BlockToken, open: boolean): ComponentChildren {
  switch (token.type) {
    case 'heading':
      return heading(token as Tokens.Heading);
    case 'paragraph':
      return <p dir="auto">{renderInline(token.tokens)}</p>;
    case 'code':
      return <CodeBlock code={token.text} language={languageOf(token.lang)} open={open} />;
    case 'list':
      return list(token as Tokens.List);
    case 'table':
      return table(token as Tokens.Table);
    case 'blockquote':
      return <blockquote>{renderBlocks(token.tokens)}</blockquote>;
    case 'hr':
      return <hr />;
    case 'html':
      return <p class="as-written">{token.text.replace(/(?<!\n)\n+$/, '')}</p>;
    case 'text':
      return token.tokens ? renderInline(token.tokens) : decodeEntities(token.text);
    case 'math':
      return token.closed ? (
        <Formula tex={token.text} display />
      ) : (
        <p class="as-written" dir="ltr">
          {token.text}
        </p>
      );
    case 'def':
    case 'space':
      return null;
    default:
      return <p class="as-written">{token.raw}</p>;
  }
}

function renderBlocks(tokens: readonly Token[] | undefined): ComponentChildren {
  return tokens?.map((token, index) => <Block key={index} token={token as BlockToken} open={false} />);
}

function heading({ depth, tokens }: Tokens.Heading): VNode {
  // The page's own headings come first: one of an answer is at least a third.
  const Level = `h${Math.min(6, depth + 2)}` as 'h3' | 'h4' | 'h5' | 'h6';
  return (
    <Level class={`heading-${depth}`} dir="auto">
      {renderInline(tokens)}
    </Level>
  );
}

function list({ ordered, start, items, loose }: Tokens.List): VNode {
  const entries = items.map((item, index) => (
    <li key={index} dir="auto" class={item.task ? 'task' : undefined}>
      {loose ? renderBlocks(item.tokens) : renderTight(item.tokens)}
    </li>
  ));
  if (!ordered) return <ul>{entries}</ul>;
  return <ol start={start === '' || start === 1 ? undefined : start}>{entries}</ol>;
}

/** The text of a tight list's item is no paragraph. */
function renderTight(tokens: readonly Token[]): ComponentChildren {
  return tokens.map((token, index) => {
    if (token.type === 'checkbox') return renderInline([token]);
    return <Block key={index} token={token as BlockToken} open={false} />;
  });
}

function table({ header, rows, align }: Tokens.Table): VNode {
  const side = (index: number) => (align[index] ? `align-${align[index]}` : undefined);
  return (
    <div class="table-box" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {header.map((cell, index) => (
              <th key={index} class={side(index)} scope="col" dir="auto">
                {renderInline(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell, index) => (
                <td key={index} class={side(index)} dir="auto">
                  {renderInline(cell.tokens)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** `ts {1,3}` and `language-ts` are `ts`. */
function languageOf(info: string | undefined): string {
  return (
    (info ?? '')
      .trim()
      .split(/[\s{,]/)[0]
      ?.replace(/^language-/, '') ?? ''
  );
}
