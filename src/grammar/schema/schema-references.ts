import { ServeError } from '../../contract/errors.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import { refuse, subschemas } from './schema-words.ts';

/**
 * Finds what a `$ref` names, inside the same document only: `#`, `#/$defs/name`, `#anchor`, also after the document's
 * own `$id`. Throws ServeError invalid_request for everything else.
 */
export function resolveReference(
  root: JsonValue,
  reference: string,
  { path, param }: { readonly path: string; readonly param: string },
): { readonly schema: JsonValue; readonly path: string } {
  const [document = '', fragment = ''] = reference.split('#');
  const ownId = isJsonObject(root) && typeof root.$id === 'string' ? root.$id.split('#')[0] : '';
  if (document !== '' && document !== ownId)
    throw refuse(
      `refers to another document with $ref ${JSON.stringify(reference)}; copy that schema into $defs`,
      path,
      param,
    );
  const target =
    fragment === '' || fragment.startsWith('/') ? follow(root, decode(fragment)) : anchored(root, fragment);
  if (target === undefined || (typeof target !== 'boolean' && !isJsonObject(target)))
    throw refuse(`refers with $ref to ${JSON.stringify(reference)}, which the schema does not have`, path, param);
  return { schema: target, path: `#${decode(fragment)}` };
}

/** The same for who must not throw: undefined for everything else. */
export function referenced(root: JsonValue, reference: string): JsonValue | undefined {
  try {
    return resolveReference(root, reference, { path: '#', param: 'schema' }).schema;
  } catch (error) {
    if (error instanceof ServeError) return undefined;
    throw error;
  }
}

function follow(root: JsonValue, pointer: string): JsonValue | undefined {
  let at: JsonValue | undefined = root;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) at = at[Number(name)];
    else if (isJsonObject(at) && Object.hasOwn(at, name)) at = at[name];
    else return undefined;
  }
  return at;
}

const knownAnchors = new WeakMap<JsonObject, ReadonlyMap<string, JsonObject>>();

function anchored(root: JsonValue, name: string): JsonValue | undefined {
  if (!isJsonObject(root)) return undefined;
  const anchors = knownAnchors.get(root) ?? findAnchors(root);
  knownAnchors.set(root, anchors);
  return anchors.get(name);
}

function findAnchors(root: JsonObject): ReadonlyMap<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  const todo: JsonValue[] = [root];
  for (let schema = todo.pop(); schema !== undefined; schema = todo.pop()) {
    if (!isJsonObject(schema)) continue;
    if (typeof schema.$anchor === 'string') found.set(schema.$anchor, schema);
    if (typeof schema.$id === 'string' && schema.$id.startsWith('#')) found.set(schema.$id.slice(1), schema);
    todo.push(...subschemas(schema).map(([, child]) => child));
  }
  return found;
}

function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
