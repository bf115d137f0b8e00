/**
 * Expressions of operators with two sides, or a number: a union that holds itself and whose options all begin with the
 * same members, only the last of which tells them apart.
 */
export function operatorTree(operators: number, required = ['left', 'right', 'op']) {
  return {
    $ref: '#/$defs/expression',
    $defs: {
      expression: {
        anyOf: [
          ...Array.from({ length: operators }, (_, index) => ({
            type: 'object',
            properties: {
              left: { $ref: '#/$defs/expression' },
              right: { $ref: '#/$defs/expression' },
              op: { const: `op${index}` },
            },
            required,
          })),
          { type: 'integer' },
        ],
      },
    },
  };
}
