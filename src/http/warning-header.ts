/** What the client should know although it got its answer. Header values are ASCII without line breaks. */
export function warningHeader(warnings: readonly string[]): Record<string, string> {
  if (warnings.length === 0) return {};
  return {
    'x-serve-model-warning': [...new Set(warnings)]
      .join('; ')
      .replace(/[^\x20-\x7e]/g, '?')
      .slice(0, 2000),
  };
}
