/**
 * What a terminal or a reader of lines would take as an order instead of a letter: control characters (line breaks and
 * ESC among them), Unicode's own line ends, and the marks that turn the direction of text around.
 */
const orders = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const spelled: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text that others chose (paths, headers, names and metadata of files) as a part of one line: nothing in it can begin a
 * line of its own, move the cursor or hide what stands beside it.
 */
export function printable(text: string): string {
  return text.replace(
    orders,
    (order) => spelled[order] ?? `\\u${(order.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

/** The same for text that consists of lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** The same for every text in a value out of JSON; stacks keep their lines. */
export function printableJson(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return key === 'stack' ? printableLines(value) : printable(value);
  if (Array.isArray(value)) return value.map((entry) => printableJson(entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, printableJson(member, name)]));
}
