import type { ToolServerConfig } from '../contract/server-tools.ts';

/** Shorter ones (ports, `true`, `dev`) would take harmless words out of every text. */
const shortestSecret = 8;

/** Takes what a configuration holds and nobody else should see out of texts: keys in variables, headers and queries. */
export function hideSecrets(configs: readonly ToolServerConfig[]): (text: string) => string {
  const secrets = [...new Set(configs.flatMap(secretsOf))]
    .filter((secret) => secret.length >= shortestSecret)
    .sort((one, other) => other.length - one.length);
  if (secrets.length === 0) return (text) => text;
  return (text) => secrets.reduce((shown, secret) => shown.replaceAll(secret, '[secret]'), text);
}

function secretsOf({ place }: ToolServerConfig): string[] {
  switch (place?.transport) {
    case 'stdio':
      return Object.values(place.env);
    case 'http':
    case 'sse': {
      const { searchParams, password } = new URL(place.url);
      const headers = Object.values(place.headers);
      // `Bearer KEY`: the key may be repeated alone.
      return [...headers, ...headers.flatMap((header) => header.split(/\s+/)), ...searchParams.values(), password];
    }
    case undefined:
      return [];
    default:
      return place satisfies never;
  }
}
