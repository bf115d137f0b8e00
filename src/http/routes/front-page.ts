import type { LoadProgress } from '../../contract/control.ts';
import type { ModelProfile } from '../../contract/model.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import { noPageRoutes, pageDocument, pageRoutes } from './page.ts';

const endpoints = [
  ['POST /v1/chat/completions, /v1/responses, /v1/completions', 'OpenAI'],
  ['POST /v1/messages', 'Anthropic'],
  ['POST /api/chat, /api/generate', 'Ollama'],
  ['POST /v1/embeddings, /v1/rerank', 'vectors and relevance'],
  ['POST /tokenize, /detokenize, /apply-template, /infill', 'llama.cpp'],
  ['GET /v1/models, /health, /metrics', 'what runs, and how'],
] as const;

/** GET /: the chat page for browsers, or a small one where there is none; one line for everybody else. */
export function frontPageRoutes({ models, control, page: files }: AppDependencies): Route[] {
  const document = files?.find('index.html');
  const forBrowsers = (exchange: Exchange) => {
    if (document) return pageDocument(exchange, document);
    return smallPage(models.list(), models.state() === 'loading' ? (control?.progress() ?? 'begins') : undefined);
  };
  return [
    ...(files ? pageRoutes(files) : noPageRoutes),
    {
      method: 'GET',
      paths: ['/'],
      shape: openaiShape,
      access: 'open',
      owns: 'none',
      work: false,
      handle: (exchange) =>
        exchange.header('accept')?.includes('text/html')
          ? forBrowsers(exchange)
          : new Response('serve-model is running\n', {
              headers: { 'content-type': 'text/plain; charset=utf-8', vary: 'accept' },
            }),
    },
  ];
}

/** Loads nothing from anywhere and runs no script. */
function smallPage(loaded: readonly ModelProfile[], loading: LoadProgress | 'begins' | undefined): Response {
  const none = loading === undefined ? 'No model is loaded.' : `${loadingText(loading)} Reload this page to see more.`;
  const names = loaded.map(
    ({ id, contextSize }) => `<li><b>${escapeMarkup(id)}</b>, ${contextSize} tokens of context</li>`,
  );
  const rows = endpoints.map(([paths, note]) => `<tr><td><code>${paths}</code></td><td>${note}</td></tr>`);
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>serve-model</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}td{padding:.2rem 1rem .2rem 0}</style>
<h1>serve-model is running</h1>
<ul>${names.length === 0 ? `<li>${none}</li>` : names.join('')}</ul>
<table>${rows.join('')}</table>
</html>
`;
  return new Response(html, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      vary: 'accept',
    },
  });
}

const phases = {
  download: 'downloaded',
  mmap: 'loaded',
  load: 'loaded',
  calibrate: 'measured on this machine',
  ready: 'made ready',
} as const satisfies Record<LoadProgress['phase'], string>;

/** Without names: who reads this may have no key. */
function loadingText(loading: LoadProgress | 'begins'): string {
  if (loading === 'begins') return 'The model is being loaded.';
  return `The model is being ${phases[loading.phase]}: ${Math.floor(loading.fraction * 100)} %.`;
}

function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
