/** Ids that a model writes itself may come again in a later round: then they are counted on. It is among `ids` then. */
export function uniqueId(written: string, ids: Set<string>): string {
  let id = written;
  for (let count = 2; ids.has(id); count++) id = `${written}_${count}`;
  ids.add(id);
  return id;
}
