import { ServeError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { StoredResponse } from '../contract/services.ts';
import { mostInputItems } from '../dialects/openai-responses/body.ts';
import { ownerOf } from './item-ids.ts';

/** A kept response by its id, as far as it is there for whoever asks. */
type Find = (id: string) => Promise<StoredResponse | undefined>;

export interface ResolvedBody {
  /** The body with each reference to a kept item replaced by the item. */
  readonly body: unknown;
  /** Items of the previous responses, oldest first. */
  readonly history: readonly JsonObject[];
}

/** What a request means by `previous_response_id` and `item_reference`, as far as the store knows it. */
export async function resolveHistory(body: unknown, find: Find, idPrefix: string): Promise<ResolvedBody> {
  if (!isJsonObject(body)) return { body, history: [] };
  const previous = body.previous_response_id;
  const history = typeof previous === 'string' ? await itemsOfChain(previous, find) : [];
  // More items than that the dialect refuses: none of them is looked up.
  if (!Array.isArray(body.input) || body.input.length > mostInputItems) return { body, history };
  const items = new KeptItems(find, idPrefix);
  const input: JsonValue[] = [];
  for (const item of body.input) input.push(await resolveReference(item, items));
  return { body: { ...body, input }, history };
}

/** Items by their ids. A request may name thousands of one response, which is read once, and one response at a time. */
class KeptItems {
  readonly #find: Find;
  readonly #idPrefix: string;
  readonly #byResponse = new Map<string, ReadonlyMap<JsonValue | undefined, JsonObject>>();

  constructor(find: Find, idPrefix: string) {
    this.#find = find;
    this.#idPrefix = idPrefix;
  }

  async get(itemId: string): Promise<JsonObject | undefined> {
    const response = ownerOf(itemId, this.#idPrefix);
    if (response === undefined) return undefined;
    const items = this.#byResponse.get(response) ?? (await this.#itemsOf(response));
    this.#byResponse.set(response, items);
    return items.get(itemId);
  }

  async #itemsOf(response: string): Promise<ReadonlyMap<JsonValue | undefined, JsonObject>> {
    const entry = await this.#find(response);
    // Of two under one id the first counts.
    return new Map(
      [...(entry?.input ?? []), ...(entry ? outputOf(entry) : [])].toReversed().map((item) => [item.id, item]),
    );
  }
}

/** The items of a response and of those before it, oldest first. Instructions are each request's own. */
async function itemsOfChain(id: string, find: Find): Promise<JsonObject[]> {
  const items: JsonObject[][] = [];
  for (let next: JsonValue | undefined = id; typeof next === 'string'; ) {
    const entry = await find(next);
    if (entry === undefined) throw notFound(next, id);
    refuseUnusable(entry);
    items.unshift([...entry.input, ...outputOf(entry)]);
    next = entry.response.previous_response_id;
  }
  return items.flat();
}

function outputOf({ response }: StoredResponse): JsonObject[] {
  return Array.isArray(response.output) ? response.output.filter(isJsonObject) : [];
}

function refuseUnusable({ id, response }: StoredResponse): void {
  const { status } = response;
  if (status !== 'failed' && status !== 'queued' && status !== 'in_progress') return;
  const what =
    status === 'failed' ? 'has failed, so nothing can follow it' : 'is still running. Ask again when it is over';
  throw new ServeError('invalid_request', `The previous response ${JSON.stringify(id)} ${what}.`, {
    param: 'previous_response_id',
  });
}

function notFound(missing: string, asked: string): ServeError {
  const message =
    missing === asked
      ? `There is no response ${JSON.stringify(asked)} to go on from. It was deleted, or is older than what the server keeps. Send the whole conversation as \`input\`.`
      : `The response ${JSON.stringify(asked)} goes on from ${JSON.stringify(missing)}, which is not kept any more. Send the whole conversation as \`input\`.`;
  return new ServeError('invalid_request', message, { param: 'previous_response_id' });
}

/** An unknown reference stays as it is: the dialect names it in its error. */
async function resolveReference(item: JsonValue, items: KeptItems): Promise<JsonValue> {
  if (!isJsonObject(item) || typeof item.id !== 'string') return item;
  const isReference =
    item.type === 'item_reference' || (item.type === undefined && item.role === undefined) || isWithoutResult(item);
  return (isReference ? await items.get(item.id) : undefined) ?? item;
}

/** OpenAI's Agents SDK sends calls that the server ran back without what came of them, because it may be long. */
function isWithoutResult({ type, output, error }: JsonObject): boolean {
  return type === 'mcp_call' && typeof output !== 'string' && (error === undefined || error === null);
}
