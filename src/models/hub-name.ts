/** A model on the hub: `hf:owner/repo`, `hf:owner/repo:Q4_K_M`, `hf:owner/repo/file.gguf`, each with or without `hf:`. */
export interface HubName {
  readonly owner: string;
  readonly repo: string;
  /** As written; matched without regard to case. */
  readonly quantization: string | undefined;
  /** Path inside the repository, the first part of a split model. */
  readonly file: string | undefined;
}

const part = '[A-Za-z0-9][A-Za-z0-9._-]*';
const pattern = new RegExp(
  `^(?:hf:|hf\\.co/|huggingface\\.co/|https://huggingface\\.co/)?(${part})/(${part})(?::(${part})|/(.+\\.gguf))?$`,
);

/** undefined when it is no hub name. A local path of this form comes first: look for that before. */
export function parseHubName(target: string): HubName | undefined {
  const match = pattern.exec(target);
  const [, owner, repo, quantization, file] = match ?? [];
  if (owner === undefined || repo === undefined) return undefined;
  const steps = [owner, repo, ...(file?.split('/') ?? [])];
  // `..` must not lead out of the models folder, and `a/b.gguf` is a mistyped path.
  if (steps.some((step) => /^\.*$/.test(step)) || /\.gguf$/i.test(repo)) return undefined;
  return { owner, repo, quantization, file };
}

export function showHubName({ owner, repo, quantization, file }: HubName): string {
  const tail = file === undefined ? '' : `/${file}`;
  return `hf:${owner}/${repo}${quantization === undefined ? tail : `:${quantization}`}`;
}

/** `Model-UD-Q4_K_M-00001-of-00002.gguf` -> `UD-Q4_K_M`; undefined when the name tells none. */
export function quantizationOf(fileName: string): string | undefined {
  const stem = fileName.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '');
  const match = /(?:^|[-._/])((?:UD-)?(?:I?Q\d[A-Z0-9_]*|TQ\d_\d|BF16|FP?16|FP?32|MXFP4[A-Z_]*|NVFP4))$/i.exec(stem);
  return match?.[1]?.toUpperCase();
}
