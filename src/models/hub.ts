import { basename } from 'node:path';
import { ServeError } from '../contract/errors.ts';
import { isJsonObject, type JsonValue } from '../contract/json.ts';
import { splitOf } from './find-model.ts';
import { type HubName, quantizationOf, showHubName } from './hub-name.ts';
import { bestProjector, likenessOfNames } from './projector-name.ts';

/** How to reach the hub. */
export interface HubAccess {
  /** `https://huggingface.co` or one that answers alike. */
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

export interface HubFile {
  /** Inside the repository. */
  readonly path: string;
  readonly bytes: number;
  /** Where the hub tells it. */
  readonly sha256: string | undefined;
}

/** One model file of a repository, all its parts in order. */
export interface HubModel {
  readonly name: HubName;
  readonly quantization: string | undefined;
  readonly bytes: number;
  readonly files: readonly HubFile[];
  /** What lets it see images, which lies in the same repository; not among its files. */
  readonly projector?: HubFile;
}

/** The longest a hub may take to answer; its answers are small. */
const answerMs = 30_000;
const mostPages = 20;

/** The models that a repository holds, smallest first. Throws as `listHubFiles`, and invalid_request: there is none. */
export async function listHubModels(name: HubName, access: HubAccess): Promise<HubModel[]> {
  const files = await listHubFiles(name, access);
  const projectors = files.filter(({ path }) => isProjectorFile(path));
  const models = groupParts(
    name,
    files.filter((file) => !projectors.includes(file)),
  ).map((model) => withProjector(model, projectors));
  if (models.length > 0) return models.sort((a, b) => a.bytes - b.bytes);
  throw new ServeError(
    'invalid_request',
    `${showHubName(name)} holds no .gguf file. Look for a repository with GGUF in its name.`,
  );
}

/**
 * The .gguf files that a repository holds. Hub protocol: GET /api/models/{owner}/{repo}/tree/main?recursive=1
 * answers a list of {type, path, size, lfs: {oid (SHA-256), size}}, continued by the Link header.
 * Throws ServeError: model_not_found, invalid_request (not allowed), overloaded (no answer).
 */
export async function listHubFiles(name: HubName, access: HubAccess): Promise<HubFile[]> {
  const files: HubFile[] = [];
  let url: string | undefined =
    `${access.endpoint.replace(/\/$/, '')}/api/models/${name.owner}/${name.repo}/tree/main?recursive=1`;
  for (let page = 0; url !== undefined && page < mostPages; page++) {
    const response: Response = await askHub(url, name, access);
    files.push(...readTree(await response.json().catch(() => undefined)));
    url = nextPage(response, url);
  }
  return files;
}

/** The one that the name asks for; undefined when the name leaves the choice open. */
export function askedModel(name: HubName, models: readonly HubModel[]): HubModel | undefined {
  if (name.file !== undefined) {
    const found = models.find((model) => model.files.some((file) => file.path === name.file));
    if (found) return found;
    throw new ServeError('model_not_found', `${name.owner}/${name.repo} holds no file ${name.file}. ${offer(models)}`);
  }
  const asked = name.quantization?.toUpperCase();
  if (asked === undefined) return models.length === 1 ? models[0] : undefined;
  const found = models.find((model) => model.quantization === asked);
  if (found) return found;
  throw new ServeError('model_not_found', `${name.owner}/${name.repo} holds no ${asked}. ${offer(models)}`);
}

export function downloadUrl(file: HubFile, { owner, repo }: HubName, endpoint: string): string {
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  return `${endpoint.replace(/\/$/, '')}/${owner}/${repo}/resolve/main/${path}`;
}

function offer(models: readonly HubModel[]): string {
  return `It has ${models.map((model) => model.quantization ?? basename(model.files[0]?.path ?? '')).join(', ')}.`;
}

/** A GET to the hub; every refusal becomes a sentence. Also used for pieces of files. `name`: what it is about. */
export async function askHub(
  url: string,
  name: HubName | undefined,
  { token, signal }: HubAccess,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  let response: Response;
  try {
    response = await fetch(url, {
      headers: { ...authorization, ...headers },
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    });
  } catch (error) {
    signal.throwIfAborted();
    const message = `${new URL(url).host} cannot be reached. Check the network, or give another --hf-endpoint.`;
    throw new ServeError('overloaded', message, {}, { cause: error });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw hubRefusal(response.status, name, token !== undefined, new URL(url).host);
}

function hubRefusal(status: number, name: HubName | undefined, hasToken: boolean, host: string): ServeError {
  if (!name) return new ServeError('overloaded', `${host} answers ${status} to a search. Try again later.`);
  const asked = `${name.owner}/${name.repo}`;
  if (status === 404) return new ServeError('model_not_found', `There is no ${asked} on ${host}. Check the name.`);
  if (status === 401 || status === 403) {
    const next = hasToken
      ? 'Check the name, and accept the terms of the model with the account of the token.'
      : 'Check the name, or give --hf-token (HF_TOKEN) of an account that may read it.';
    // Not `unauthorized`: the key of this server's own client is fine.
    return new ServeError('invalid_request', `${host} does not show ${asked} to this machine. ${next}`);
  }
  return new ServeError('overloaded', `${host} answers ${status} for ${asked}. Try again later.`);
}

function readTree(tree: unknown): HubFile[] {
  if (!Array.isArray(tree)) throw new ServeError('overloaded', 'The hub gave an answer that is no list of files.');
  return tree.filter(isEntry).flatMap(({ path, size, lfs }) => {
    if (typeof path !== 'string' || typeof size !== 'number' || !isModelFile(path)) return [];
    const sha256 = isJsonObject(lfs) && typeof lfs.oid === 'string' ? lfs.oid : undefined;
    return [{ path, bytes: size, sha256 }];
  });
}

function isEntry(entry: unknown): entry is { path?: JsonValue; size?: JsonValue; lfs?: JsonValue } {
  return typeof entry === 'object' && entry !== null;
}

function isModelFile(path: string): boolean {
  const escapes = path.split('/').some((step) => step === '..' || step === '') || /[\\\p{Cc}]/u.test(path);
  return /\.gguf$/i.test(path) && !/(^|[-_.])imatrix([-_.]|$)/i.test(basename(path)) && !escapes;
}

export function isProjectorFile(path: string): boolean {
  return /(^|[-_.])mmproj([-_.]|$)/i.test(basename(path));
}

/** The projector of the model's name, or one that names no model; of several the most usual precision. */
function withProjector(model: HubModel, projectors: readonly HubFile[]): HubModel {
  const name = model.files[0]?.path ?? '';
  const own = projectors.filter(({ path }) => projectors.length === 1 || likenessOfNames(name, path) !== undefined);
  const projector = bestProjector(name, own);
  return projector ? { ...model, projector } : model;
}

/** `<https://...?cursor=...>; rel="next"`. Another host is not followed: the token goes along. */
function nextPage(response: Response, url: string): string | undefined {
  const link = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
  if (link === undefined) return undefined;
  const next = new URL(link, url);
  return next.host === new URL(url).host ? next.href : undefined;
}

function groupParts(name: HubName, files: readonly HubFile[]): HubModel[] {
  const groups = new Map<string, HubFile[]>();
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const key = splitOf(file.path)?.stem ?? file.path;
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return [...groups.values()].filter(isComplete).map((group) => ({
    name,
    quantization: quantizationOf(group[0]?.path ?? ''),
    bytes: group.reduce((sum, file) => sum + file.bytes, 0),
    files: group,
  }));
}

function isComplete(group: readonly HubFile[]): boolean {
  return group.length === (splitOf(group[0]?.path ?? '')?.count ?? 1);
}
