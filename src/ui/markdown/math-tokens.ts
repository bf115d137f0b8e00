import { type MarkedOptions, Tokenizer, type Tokens } from 'marked';

/** A formula, in TeX. */
export interface MathToken {
  readonly type: 'math';
  readonly raw: string;
  readonly text: string;
  /** On lines of its own. */
  readonly display: boolean;
  /** False: its end has not come, or never will. Shown as it is written. */
  readonly closed: boolean;
}

const blockStart = /^ {0,3}(\$\$|\\\[)/;
const blockStartInText = /\n {0,3}(?:\$\$|\\\[)/;
/**
 * One dollar is a formula's only where it clings to what is in it and no digit follows: prices are none. Nothing in a
 * line goes on behind its end, but for what stands between two dollars.
 */
const inlineForms: readonly { readonly form: RegExp; readonly display: boolean }[] = [
  { form: /^\$\$((?:[^$\\]|\\.)+?)\$\$/s, display: true },
  { form: /^\$(?!\s)((?:[^$\\\n]|\\.)+?)(?<!\s)\$(?!\d)/, display: false },
  { form: /^\\\((.+?)\\\)/s, display: false },
  { form: /^\\\[(.+?)\\\]/s, display: true },
];

/**
 * A line that begins with `$$` or `\[` begins a formula, which ends where it is closed, or with an empty line. That is so
 * from its first two characters on, whatever comes: a text is taken apart alike at every cut.
 */
function blockMath(src: string): MathToken | undefined {
  const open = blockStart.exec(src);
  if (!open) return undefined;
  const [before, mark] = open;
  const rest = src.slice(before.length);
  const empty = /\n[ \t]*(?:\n|$)/.exec(rest);
  const reach = empty ? rest.slice(0, empty.index) : rest;
  const end = reach.indexOf(mark === '$$' ? '$$' : '\\]');
  if (end < 0) {
    const raw = src.slice(0, before.length + reach.length + (empty ? 1 : 0));
    return { type: 'math', raw, text: raw.trim(), display: true, closed: false };
  }
  const after = /^[ \t]*\n?/.exec(rest.slice(end + 2))?.[0] ?? '';
  const raw = src.slice(0, before.length + end + 2 + after.length);
  return { type: 'math', raw, text: rest.slice(0, end).trim(), display: true, closed: true };
}

function inlineMath(src: string): MathToken | undefined {
  for (const { form, display } of inlineForms) {
    const [raw, text] = form.exec(src) ?? [];
    if (raw !== undefined && text !== undefined && text.trim() !== '')
      return { type: 'math', raw, text: text.trim(), display, closed: true };
  }
  return undefined;
}

/** A heading that is underlined may have several lines; none of them begins a formula. */
class TokenizerBesideMath extends Tokenizer {
  override lheading(src: string): Tokens.Heading | undefined {
    const heading = super.lheading(src);
    return heading && blockStartInText.test(heading.raw) ? undefined : heading;
  }
}

/** Options of the lexer for a text in which formulas may stand. */
export const withMath: MarkedOptions = {
  gfm: true,
  tokenizer: new TokenizerBesideMath(),
  extensions: {
    renderers: {},
    childTokens: {},
    block: [blockMath],
    inline: [inlineMath],
    // Looked for within the paragraph only: it ends with an empty line.
    startBlock: [
      (src: string) => {
        const end = src.indexOf('\n\n');
        const found = blockStartInText.exec(end < 0 ? src : src.slice(0, end));
        return found ? found.index + 1 : undefined;
      },
    ],
    startInline: [
      (src: string) => {
        const found = src.search(/\$|\\[([]/);
        return found < 0 ? undefined : found;
      },
    ],
  },
};
