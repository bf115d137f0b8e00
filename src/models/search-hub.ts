import { ServeError } from '../contract/errors.ts';
import type { HubRepository } from '../contract/hub.ts';
import { isJsonObject } from '../contract/json.ts';
import { askHub, type HubAccess } from './hub.ts';
import { parseHubName } from './hub-name.ts';

/**
 * Hub protocol: GET /api/models?search=&filter=gguf&sort=downloads&direction=-1&limit= answers a list of {id: "owner/repo",
 * downloads, likes, lastModified, gated: false | "auto" | "manual"}, without what the token may not see.
 */
export async function searchHub(words: string, limit: number, access: HubAccess): Promise<HubRepository[]> {
  const query = new URLSearchParams({
    search: words,
    filter: 'gguf',
    sort: 'downloads',
    direction: '-1',
    limit: String(limit),
  });
  const response = await askHub(`${access.endpoint.replace(/\/$/, '')}/api/models?${query}`, undefined, access);
  const list: unknown = await response.json().catch(() => undefined);
  if (!Array.isArray(list)) throw new ServeError('overloaded', 'The hub gave an answer that is no list of models.');
  return list.slice(0, limit).flatMap(readRepository);
}

/** None for what could not be loaded from here, such as a name without an owner. */
function readRepository(entry: unknown): HubRepository[] {
  if (!isJsonObject(entry) || typeof entry.id !== 'string') return [];
  const name = parseHubName(entry.id);
  if (!name || name.file !== undefined || name.quantization !== undefined) return [];
  const { downloads, likes, lastModified, gated } = entry;
  return [
    {
      owner: name.owner,
      repo: name.repo,
      downloads: typeof downloads === 'number' ? downloads : undefined,
      likes: typeof likes === 'number' ? likes : undefined,
      updated: typeof lastModified === 'string' ? lastModified : undefined,
      isGated: gated !== undefined && gated !== false,
    },
  ];
}
