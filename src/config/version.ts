import { readFileSync } from 'node:fs';
import { z } from 'zod';

const packageFile = z.object({ version: z.string(), engines: z.object({ node: z.string() }) });

/** From the package's own package.json, which lies beside src and dist alike. */
export function packageVersion(): string {
  return packageFacts().version;
}

/** Its version, and the releases of Node.js that it runs on. */
export function packageFacts(): z.output<typeof packageFile> {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return packageFile.parse(JSON.parse(text));
}
