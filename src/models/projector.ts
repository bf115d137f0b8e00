import { ServeError } from '../contract/errors.ts';
import type { ProjectorFile } from '../contract/projector.ts';
import { type GgufHeader, readGguf } from './gguf.ts';

/** Reads the header of a projector file. ServeError invalid_request: it is none. */
export async function readProjector(path: string): Promise<ProjectorFile> {
  const header = await readGguf(path);
  if (isProjector(header)) return projectorOf(path, header);
  throw new ServeError(
    'invalid_request',
    `${path} is no projector (mmproj) file: its architecture is ${JSON.stringify(header.metadata.get('general.architecture'))}, not "clip".`,
    { param: path },
  );
}

function isProjector({ metadata }: Pick<GgufHeader, 'metadata'>): boolean {
  return metadata.get('general.architecture') === 'clip';
}

export function projectorOf(path: string, { metadata, tensors, dataStart, fileSize }: GgufHeader): ProjectorFile {
  return {
    path,
    sizeBytes: fileSize,
    dataStart,
    metadata: Object.fromEntries(metadata),
    tensors: tensors.map(({ name, typeNumber: type, shape, offset, bytes }) => ({ name, type, shape, offset, bytes })),
  };
}
