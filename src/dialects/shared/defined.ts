type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The same object without its undefined members: what exact optional types ask for. */
export function defined<const T extends object>(object: T): Defined<T> {
  const kept = Object.entries(object).filter(([, value]) => value !== undefined);
  // The cast states what the line above did: the type system cannot follow entries.
  return Object.fromEntries(kept) as Defined<T>;
}
