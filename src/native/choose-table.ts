import koffi from 'koffi';
import type { Libraries, LibraryFiles } from './libraries.ts';
import type { NativeTable } from './table.ts';

/**
 * The table of exactly this build. What tells the version takes nothing and gives a string in every release, so it can be
 * asked before anything is known.
 * @throws Error for a build that no table is of
 */
export function chooseTable(libraries: Libraries, files: LibraryFiles, tables: readonly NativeTable[]): NativeTable {
  const [llama, ggml, commit] = ['llama_version', 'ggml_version', 'ggml_commit'].map((name) => ask(libraries, name));
  const table = tables.find(
    (each) => each.llama === llama && each.ggml === ggml && each.commits.includes(commit?.replace(/-dirty$/, '') ?? ''),
  );
  if (table) return table;
  const known = tables.map((each) => `${each.llama} (ggml ${each.ggml}, commit ${each.commits[0]})`).join(' and ');
  throw new Error(
    `${files.folder} holds llama.cpp ${llama ?? 'of an unknown version'} (ggml ${ggml ?? 'unknown'}, commit ` +
      `${commit ?? 'unknown'}), and this serve-model knows ${known} only: run npm install again, and ` +
      'npx node-llama-cpp source clear if the library was built on this machine.',
  );
}

function ask(libraries: Libraries, name: string): string | undefined {
  const address = libraries.symbol(name);
  return address === undefined ? undefined : koffi.call(address, koffi.proto('str', []));
}
