import { ServeError } from '../../contract/errors.ts';
import { findByName } from '../../contract/model-names.ts';
import { entry, oldEntry, type StatedModel } from '../../dialects/lm-studio/models.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Route } from '../route.ts';

/** The lists of models that clients of LM Studio look for, in the forms of both its REST APIs. */
export function lmStudioRoutes({ models }: AppDependencies): Route[] {
  const common = { method: 'GET', shape: openaiShape, access: 'key', owns: 'none', work: false } as const;
  const all = async (): Promise<StatedModel[]> =>
    (await models.known()).map(({ profile, state }) => ({ profile, loaded: state === 'loaded' ? profile : undefined }));
  return [
    {
      ...common,
      paths: ['/api/v0/models'],
      handle: async () => Response.json({ object: 'list', data: (await all()).map(oldEntry) }),
    },
    {
      ...common,
      paths: ['/api/v0/models/:id{.+}'],
      handle: async ({ parameters: { id = '' } }) => {
        const found = findByName(id, await all(), ({ profile }) => profile);
        if (found) return Response.json(oldEntry(found));
        throw new ServeError('model_not_found', `There is no model ${JSON.stringify(id)} here.`, { param: 'model' });
      },
    },
    {
      ...common,
      paths: ['/api/v1/models'],
      handle: async () => Response.json({ models: (await all()).map(entry) }),
    },
  ];
}
