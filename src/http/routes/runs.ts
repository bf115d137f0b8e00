import { ServeError } from '../../contract/errors.ts';
import type { RunDescription } from '../../dialects/runs/answers.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import { expectOwnThings } from '../access/own-things.ts';
import { type AnswerDependencies, runHeader } from '../answers/generation-route.ts';
import type { Exchange } from '../exchange.ts';
import { queryNumber } from '../query-number.ts';
import type { Route } from '../route.ts';
import type { KeptRun } from '../runs/kept-run.ts';
import { RunReader } from '../runs/run-reader.ts';
import { streamResponse } from '../streams/sse.ts';

/** Answers that outlive their readers: which there are, and the rest of one. */
export function runRoutes({ runs, keyring, settings, clock, timers }: AnswerDependencies): Route[] {
  const common = {
    method: 'GET',
    shape: openaiShape,
    access: 'key',
    owns: 'caller',
    work: false,
    pages: 'own',
  } as const;
  return [
    {
      ...common,
      paths: ['/api/runs'],
      handle: ({ caller, request }) => {
        expectOwnThings(caller, keyring(), 'Runs');
        const query = new URL(request.url).searchParams;
        const wanted = (['session_id', 'cancel_id'] as const).flatMap((name) => {
          const value = query.get(name);
          return value === null ? [] : [[name, value] as const];
        });
        const described = runs.list(caller).map(describe);
        return Response.json({
          runs: described.filter((run) => wanted.every(([name, value]) => run[name] === value)),
        });
      },
    },
    {
      ...common,
      paths: ['/api/runs/:id'],
      handle: (exchange) => {
        expectOwnThings(exchange.caller, keyring(), 'Runs');
        const { id = '' } = exchange.parameters;
        const run = runs.find(id, exchange.caller);
        if (!run) throw notFound(id);
        const closed = () => exchange.end(200);
        const source = new RunReader(run, { startingAfter: startingAfter(exchange), numbered: true, closed });
        exchange.markStreaming();
        return streamResponse(source, {
          format: run.facts.dialect.format,
          headers: runHeader(run),
          heartbeatMs: settings.heartbeatMs,
          stallTimeoutMs: settings.stallTimeoutMs,
          gatherMs: settings.gatherMs,
          clock,
          timers,
        });
      },
    },
  ];
}

/** `Last-Event-ID` is what a browser's EventSource sends when it comes back. */
function startingAfter({ request }: Exchange): number {
  const query = new URL(request.url).searchParams;
  const asked = queryNumber(query, 'starting_after');
  if (asked !== undefined || query.has('starting_after')) return asked ?? -1;
  const last = request.headers.get('last-event-id');
  return last !== null && /^\d{1,9}$/.test(last) ? Number(last) : -1;
}

function describe({ facts, status, first, next }: KeptRun): RunDescription {
  return {
    id: facts.id,
    object: 'run',
    api: facts.dialect.name,
    path: facts.path,
    format: facts.dialect.format,
    model: facts.model,
    session_id: facts.sessionId ?? null,
    cancel_id: facts.cancelId ?? null,
    created: facts.created,
    status,
    first_event: first,
    last_event: next - 1,
  };
}

function notFound(id: string): ServeError {
  return new ServeError(
    'not_found',
    `There is no run ${JSON.stringify(id)} to go on with: it never was, was not \`resumable\`, or ended more than 5 minutes ago. GET /api/runs lists those that there are.`,
  );
}
