import type { Graph, Tensor } from '../../native/graph.ts';
import { oncePer } from './once.ts';

/** Of ggml: neighbouring values turn together; halves of a head by lines, then by columns, then both again. */
const modes = { normal: 0, vision: 24 } as const;

interface Places {
  readonly line: number;
  readonly column: number;
}

/** Turns [head, heads, rows] by the line and the column of each row, half of each head's pairs for either. */
export function turnBySquares(places: readonly Places[], base: number): (graph: Graph, tensor: Tensor) => Tensor {
  const lines = places.map(({ line }) => line);
  const columns = places.map(({ column }) => column);
  const values = Int32Array.from([...lines, ...columns, ...lines, ...columns]);
  const positions = oncePer((graph: Graph) => graph.input(values, [values.length]));
  return (graph, tensor) => {
    const [head] = tensor.shape;
    const sections = new Int32Array(4).fill(Math.floor(head / 4));
    return graph.ropeMulti(tensor, positions(graph), sections, { dimensions: head / 2, mode: modes.vision, base });
  };
}

/** The same in neighbouring values: the first half of each head by its line, the second by its column. */
export function turnByHalves(places: readonly Places[], base: number): (graph: Graph, tensor: Tensor) => Tensor {
  const input = (values: readonly number[]) =>
    oncePer((graph: Graph) => graph.input(Int32Array.from(values), [values.length]));
  const lines = input(places.map(({ line }) => line));
  const columns = input(places.map(({ column }) => column));
  return (graph, tensor) => {
    const [head] = tensor.shape;
    const options = { dimensions: head / 2, mode: modes.normal, base };
    // The frequencies of both halves lie between each other.
    const scale = Math.fround(base ** Math.fround(-2 / head));
    const first = graph.rope(tensor, lines(graph), options);
    return graph.rope(first, columns(graph), { ...options, from: head / 2, scale });
  };
}
