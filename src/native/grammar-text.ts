/** 100,000 brackets inside each other overflow a stack of 16 MiB, 30,000 do not. */
const mostBrackets = 10_000;
/** So many rules that each begin with the next one overflow it at 200,000, not at 100,000. */
const mostRules = 50_000;

/**
 * What llama.cpp's grammar parser would not survive, or take for no grammar at all: an empty text allows everything, and
 * a zero byte ends the text for C. Whether it is a grammar is told by the parser. Throws RangeError.
 */
export function checkGrammarText(text: string): void {
  if (text === '') throw new RangeError('An empty text is no grammar.');
  if (text.includes('\0')) throw new RangeError('A grammar has no zero bytes.');
  let brackets = 0;
  let rules = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = endOf(text, at, '"');
        break;
      case '[':
        at = endOf(text, at, ']');
        break;
      case '#':
        at = lineEnd(text, at);
        break;
      case '(':
        if (++brackets > mostBrackets) throw new RangeError(`More than ${mostBrackets} brackets inside each other.`);
        break;
      case ')':
        brackets--;
        break;
      case '{':
        checkCount(text, at);
        break;
      case ':':
        if (text.startsWith('::=', at) && ++rules > mostRules) throw new RangeError(`More than ${mostRules} rules.`);
        break;
      default:
    }
  }
}

/** Of a literal or a class; its letters mean nothing here. */
function endOf(text: string, start: number, end: string): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === end) return at;
  }
  return text.length;
}

function lineEnd(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end === -1 ? text.length : end;
}

const range = /\{\s*(\d+)\s*,\s*(\d+)\s*\}/y;

/** Of a count like `{5,2}` it writes rules until the memory is used up. */
function checkCount(text: string, at: number): void {
  range.lastIndex = at;
  const [count, least, most] = range.exec(text) ?? [];
  if (Number(least) > Number(most)) throw new RangeError(`The count ${count} goes backwards.`);
}
