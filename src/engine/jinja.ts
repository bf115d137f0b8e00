import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { CompileTemplate } from '../contract/chat-format.ts';
import type { LibraryFiles } from '../native/open-library.ts';

/** The part of node-llama-cpp's addon that nothing of the C API gives. */
interface JinjaAddon {
  readonly AddonJinjaRenderer: new (template: string) => { render(variables: Record<string, unknown>): string };
}

/**
 * llama.cpp's own Jinja engine, compiled once per template. Reads the addon beside the library, not node-llama-cpp's JavaScript, which takes a third of a second. The addon makes
 * itself the listener of the library's log: not for a process that opens the library too.
 */
export function templateCompiler({ folder }: Pick<LibraryFiles, 'folder'>): CompileTemplate {
  const { AddonJinjaRenderer } = readAddon(join(folder, 'llama-addon.node'));
  return (template) => {
    const renderer = new AddonJinjaRenderer(template);
    return (variables) => renderer.render(variables);
  };
}

function readAddon(path: string): JinjaAddon {
  const addon: unknown = createRequire(import.meta.url)(path);
  if (!isJinjaAddon(addon))
    throw new Error(`${path} lacks AddonJinjaRenderer: install the exact version of package.json.`);
  return addon;
}

function isJinjaAddon(addon: unknown): addon is JinjaAddon {
  return (
    typeof addon === 'object' &&
    addon !== null &&
    'AddonJinjaRenderer' in addon &&
    typeof addon.AddonJinjaRenderer === 'function'
  );
}
