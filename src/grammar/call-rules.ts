import type { ToolCallFormat } from '../contract/chat-format.ts';
import { factored } from './gbnf/factored.ts';
import type { Expression } from './gbnf/gbnf.ts';
import { anyOf, repeat, sequence, text } from './gbnf/gbnf.ts';
import type { CallableTool, ToolArguments } from './tool-arguments.ts';

export type FramedCalls = Exclude<ToolCallFormat, { readonly syntax: 'addressed' }>;

/** One or more calls in the family's own words, as they stand in its row: `section.open? call (separator call)* section.close?`. */
export function callRules(
  format: FramedCalls,
  tools: readonly CallableTool[],
  { args, parallel }: { readonly args: ToolArguments; readonly parallel: boolean },
): Expression {
  const call = args.json.book.define('call', oneCall(format, tools, args));
  const many = parallel && format.parallel;
  if (format.syntax === 'python') {
    const more = repeat(sequence(text(format.separator), call), 0);
    return sequence(text(format.open), call, ...(many ? [more] : []), text(format.close));
  }
  const framed = args.json.book.define('framed-call', sequence(text(format.open), call, text(format.close)));
  const more = repeat(sequence(text(format.separator), framed), 0);
  const { section } = format;
  return sequence(text(section?.open ?? ''), framed, ...(many ? [more] : []), text(section?.close ?? ''));
}

/** What stands between `open` and `close`. */
function oneCall(format: FramedCalls, tools: readonly CallableTool[], args: ToolArguments): Expression {
  const { json } = args;
  const each = (write: (tool: CallableTool, name: string) => Expression) =>
    factored(
      json.book,
      'call',
      tools.map((tool) => write(tool, tool.tool.name)),
    );
  const id = repeat(anyOf('0-9A-Za-z'), 9, 9);
  switch (format.syntax) {
    case 'json': {
      if (format.nameIsKey)
        return each((tool, name) => json.enclosed('{', [sequence(json.key(name), args.object(tool))], '}'));
      const { keys } = format;
      return each((tool, name) => {
        const pairs = [
          sequence(json.key(keys.name), text(JSON.stringify(name))),
          sequence(json.key(keys.arguments), args.object(tool)),
        ];
        if (keys.id === undefined) return json.enclosed('{', pairs, '}');
        // Mistral's templates want nine characters and the id last; Cohere counts and has it first.
        const counts = keys.id === 'tool_call_id';
        const idPair = sequence(json.key(keys.id), text('"'), counts ? json.digits(1, 2) : id, text('"'));
        return json.enclosed('{', counts ? [idPair, ...pairs] : [...pairs, idPair], '}');
      });
    }
    case 'named-json': {
      const before = format.idEnd === undefined ? [] : [id, text(format.idEnd)];
      const behind = format.idOpen === undefined ? [] : [text(format.idOpen), id];
      return each((tool, name) => {
        const written = format.indexedName ? [text(`functions.${name}:`), json.digits(1, 2)] : [text(name)];
        return sequence(...before, ...written, ...behind, text(format.nameEnd), args.object(tool));
      });
    }
    case 'tagged':
      return each((tool, name) => {
        const number = sequence(
          text(format.nameEnd.slice(0, 1)),
          text(' index="'),
          json.digits(1, 2),
          text('"'),
          text(format.nameEnd.slice(1)),
        );
        return sequence(text(name), format.numbered ? number : text(format.nameEnd), args.tagged(tool, format));
      });
    case 'dict':
      return each((tool, name) => sequence(text(name), args.object(tool)));
    case 'python':
      return each((tool, name) => sequence(text(`${name}(`), args.keywords(tool), text(')')));
    case 'namespaced':
      return each((tool, name) => sequence(text(`${name}">`), args.nested(tool, format)));
    default:
      return format satisfies never;
  }
}

/**
 * The texts with which calls begin: what free text must not contain, so that the only way on is a whole call. [] for
 * families whose calls have no opening marker.
 */
export function callTriggers(format: FramedCalls): readonly string[] {
  const openings = [format.section?.open, format.open].map((open) => trigger(open ?? ''));
  return [...new Set(openings)].filter((each) => each !== '');
}

/** The first line where it is a tag; a tag's bracket for the array after it is not part of it. */
function trigger(open: string): string {
  const [line = ''] = open.trimStart().split('\n');
  const isTag = /[<>[\]]/.test(line);
  return (isTag ? line : open).trim().replace(/(?<=[>\]])\s*\[$/, '');
}
