/**
 * Claude Code puts a line of bookkeeping before its system prompt, as the first block or at the start of the text:
 * `x-anthropic-billing-header: cc_version=2.1.37.0d9; cc_entrypoint=cli; cch=fa690;`. It is meant for Anthropic's
 * servers, says nothing to a model, and changes with every request: left in, no prompt would share its beginning with
 * the one before. Seen in Claude Code 2.1; a newline behind the line is not guaranteed, so only its `key=value;` pairs go.
 */
const attributionLine = /^\s*x-anthropic-billing-header:(?:[ \t]*[\w.-]+=[^;\s]*;?)*[ \t]*(?:\r?\n)*/;

/** The system text without its attribution line; undefined when nothing else was there. */
export function withoutAttribution(text: string): string | undefined {
  const rest = text.replace(attributionLine, '');
  return rest === '' && text !== '' ? undefined : rest;
}
