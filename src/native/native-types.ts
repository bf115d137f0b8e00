import koffi, { type TypeObject } from 'koffi';
import type { NativeTable } from './table.ts';

/** Where the fields of a struct lie that is read and written in place. Sizes and offsets in bytes. */
export interface StructLayout {
  readonly size: number;
  /** @throws Error for a field that this release does not have */
  offsetOf(field: string): number;
}

/** A signature of the table, in koffi's types. */
export interface Signature {
  readonly result: TypeObject;
  readonly parameters: readonly TypeObject[];
  readonly givesPointer: boolean;
}

/** koffi's types for those that a table names; each is made once, on first use. */
export class NativeTypes {
  readonly #structs: NativeTable['structs'];
  readonly #made = new Map<string, TypeObject>([
    ['pointer', koffi.type('void *')],
    ['string', koffi.type('str')],
  ]);

  constructor(structs: NativeTable['structs']) {
    this.#structs = structs;
  }

  type(name: string): TypeObject {
    const made = this.#made.get(name);
    if (made) return made;
    const type = this.#make(name);
    this.#made.set(name, type);
    return type;
  }

  signature(line: string): Signature {
    const [result = 'void', ...parameters] = line.split(' ');
    return {
      result: this.type(result),
      parameters: parameters.map((parameter) => this.type(parameter)),
      givesPointer: result === 'pointer',
    };
  }

  layout(struct: string): StructLayout {
    const type = this.type(struct);
    const offsets = new Map(
      Object.values(type.members ?? {}).flatMap(({ name, offset }) =>
        name.split(unionMark).map((each) => [each, offset]),
      ),
    );
    return {
      size: type.size,
      offsetOf: (field) => {
        const offset = offsets.get(field);
        if (offset === undefined) throw new Error(`${struct} has no field ${field} in this release of llama.cpp.`);
        return offset;
      },
    };
  }

  /** The struct as `value` and room after it: for a function whose result may be longer than the table says. */
  withSlack(struct: string, bytes: number): TypeObject {
    return koffi.struct({ value: this.type(struct), slack: koffi.array('uint8', bytes, 'Typed') });
  }

  #make(name: string): TypeObject {
    if (name.includes('|')) {
      return koffi.union(Object.fromEntries(name.split('|').map((each, index) => [`member${index}`, this.type(each)])));
    }
    const [, element, count] = /^(\w+)\[(\d+)\]$/.exec(name) ?? [];
    if (element) return koffi.array(this.type(element), Number(count), typedElements.has(element) ? 'Typed' : 'Array');
    const fields = this.#structs[name];
    if (!fields) return koffi.type(name);
    const members = Object.entries(fields).map(([field, type]) => [field.replaceAll('|', unionMark), this.type(type)]);
    return koffi.struct(Object.fromEntries(members));
  }
}

/** Between the names of a union's members, which C does not use and koffi allows. */
const unionMark = '__';

const typedElements = new Set([
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float',
  'double',
]);
