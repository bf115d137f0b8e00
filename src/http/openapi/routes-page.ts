import type { Route } from '../route.ts';
import { writtenPath } from './document.ts';
import { operations } from './operations.ts';

/** GET /docs/routes: the routes by what they are for. Loads nothing but the guides' style and runs no script. */
export function routesPage(routes: readonly Route[], headers: Readonly<Record<string, string>>): Response {
  const groups = new Map<string, string[]>();
  for (const route of routes) {
    const known = operations[`${route.method} ${route.paths[0]}`];
    if (!known) continue;
    const rows = groups.get(known.group) ?? [];
    rows.push(row(route, known.summary));
    groups.set(known.group, rows);
  }
  const sections = [...groups].map(([group, rows]) => `<h2>${group}</h2><table>${rows.join('')}</table>`);
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>serve-model API</title>
<link rel="stylesheet" href="style.css">
<nav><a href="../docs">serve-model: all guides</a></nav>
<h1>serve-model API</h1>
<p>Every field, as a machine reads it: <a href="../openapi.json">openapi.json</a></p>
${sections.join('\n')}
</html>
`;
  return new Response(html, { headers: { ...headers, 'content-type': 'text/html; charset=utf-8' } });
}

function row({ method, paths, access }: Route, summary: string): string {
  const written = paths.map((path) => `<code>${writtenPath(path)}</code>`).join('<br>');
  return `<tr><td>${method}</td><td>${written}</td><td>${summary}${access === 'admin' ? ' <small>(admin)</small>' : ''}</td></tr>`;
}
