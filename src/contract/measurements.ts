/** What a server is measured by. */
export const measurementKinds = ['prompt', 'decode', 'first-token', 'deep'] as const;
export type MeasurementKind = (typeof measurementKinds)[number];
