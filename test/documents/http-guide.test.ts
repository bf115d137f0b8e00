import { expect, it } from 'vitest';
import { errorCodes, ServeError } from '../../src/contract/errors.ts';
import { openaiErrorObject } from '../../src/dialects/shared/openai-error.ts';
import { statusOf } from '../../src/http/error-response.ts';
import { writtenPath } from '../../src/http/openapi/document.ts';
import { readDocument } from '../support/documents.ts';
import { everyRoute } from '../support/route-rows.ts';

const guide = readDocument('src/http/README.md');

it('the guide to routes names every route', () => {
  const [table = ''] = /^\| route \| what \|\n(\|.*\n)+/m.exec(guide) ?? [];
  const named = [...table.matchAll(/`(?:(?:GET|POST|DELETE) )?(\/[^`]*)`/g)].map((match) => match[1] ?? '');
  // Told with an example, or with what they have in common.
  const told: Readonly<Record<string, string>> = {
    '/v1/models/{id}': '/v1/models/serve-model-demo',
    '/docs/{guide}': '/docs/api/openai-chat',
    '/ui/assets/{file}': '/ui/assets/...',
  };
  // Of Ollama's API, 501: told in its guide.
  const notHere = ['/api/pull', '/api/delete'];
  const missing = everyRoute()
    .map(({ paths }) => paths.map(writtenPath))
    .filter((paths) => !paths.some((path) => [...named, ...notHere].includes(told[path] ?? path)))
    .map(([path]) => path ?? '');
  expect([...new Set(missing)]).toEqual([]);
});

it('the guide to errors has every code with its status', () => {
  const [table = ''] = /^\| status \| code \|\n(\|.*\n)+/m.exec(guide) ?? [];
  const rows = [...table.matchAll(/^\| ([\d, ]+) \| (.*) \|$/gm)].map(([, statuses = '', codes = '']) => ({
    statuses,
    codes,
  }));
  const wrong = errorCodes.filter((code) => {
    const { code: word } = openaiErrorObject(new ServeError(code, ''));
    // Nobody reads the first; the second has no code, as the guide says.
    if (code === 'client_closed' || word === null) return false;
    const row = rows.find(({ codes }) => codes.includes(`\`${String(word)}\``));
    return !row?.statuses.includes(`${statusOf[code]}`);
  });
  expect(wrong).toEqual([]);
});
