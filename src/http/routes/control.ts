import type { ControlEvent, LoadRequest, ModelControl } from '../../contract/control.ts';
import {
  writeEvent,
  writeLoad,
  writeModels,
  writeProgress,
  writeStatus,
  writeUnload,
  writeVerdict,
} from '../../dialects/control/answers.ts';
import { parseLoad, parseUnload, parseValidate } from '../../dialects/control/requests.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import { visibleTo } from '../access/visible-events.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import { eventStream } from '../streams/event-stream.ts';

const base = '/api/inference';

/** Models come and go: what a desktop chat UI drives the server with. */
export function controlRoutes(dependencies: AppDependencies, control: ModelControl): Route[] {
  const read = { method: 'GET', shape: openaiShape, access: 'key', owns: 'none', work: false } as const;
  const change = { method: 'POST', shape: openaiShape, access: 'admin', owns: 'admin', work: true } as const;
  const anyPath = (exchange: Exchange, request: Omit<LoadRequest, 'anyPath'>): LoadRequest => ({
    ...request,
    anyPath: exchange.caller.local || exchange.caller.admin,
  });
  return [
    {
      ...change,
      paths: [`${base}/load`],
      handle: async (exchange) => {
        const request = parseLoad(await exchange.json());
        const answer = writeLoad(await control.load(anyPath(exchange, request), exchange.signal));
        exchange.note({ model: answer.model });
        return Response.json(answer);
      },
    },
    {
      ...change,
      // Also while the server drains: what unloads makes its end easier.
      work: false,
      paths: [`${base}/unload`],
      handle: async (exchange) => {
        const model = await control.unload(parseUnload(await exchange.json()).model_path);
        exchange.note({ model });
        return Response.json(writeUnload(model));
      },
    },
    {
      ...change,
      paths: [`${base}/validate`],
      handle: async (exchange) => {
        const request = anyPath(exchange, parseValidate(await exchange.json()));
        return Response.json(writeVerdict(await control.validate(request, exchange.signal)));
      },
    },
    {
      ...change,
      method: 'DELETE',
      paths: [`${base}/models/:id{.+}`],
      handle: async (exchange) => {
        const id = exchange.parameters.id ?? '';
        await control.remove(id);
        return Response.json({ status: 'deleted', model: id });
      },
    },
    { ...read, paths: [`${base}/status`], handle: () => Response.json(writeStatus(control.status())) },
    { ...read, paths: [`${base}/load-progress`], handle: () => Response.json(writeProgress(control.progress())) },
    {
      // It tells paths.
      ...read,
      access: 'admin',
      owns: 'admin',
      paths: [`${base}/models`],
      handle: async () => Response.json(writeModels(await control.localModels())),
    },
    {
      ...read,
      owns: 'caller',
      paths: [`${base}/events`],
      handle: (exchange) => {
        const visible = visibleTo(exchange.caller);
        const write = (event: ControlEvent) => {
          const seen = visible(event);
          return seen === undefined ? [] : [writeEvent(seen)];
        };
        return eventStream(exchange, (signal) => control.events(signal), write, dependencies);
      },
    },
  ];
}
