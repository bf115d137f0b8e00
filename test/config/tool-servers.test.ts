import { describe, expect, it } from 'vitest';
import { parseToolServers } from '../../src/config/tool-servers.ts';

const parse = (mcpServers: unknown, variables = {}) => parseToolServers(JSON.stringify({ mcpServers }), variables);

describe('the servers of tools in a file that other programs share', () => {
  it('are started, or reached over HTTP or events', () => {
    expect(
      parse({
        files: { command: 'npx', args: ['-y', 'server-files'], env: { DEBUG: 1 }, cwd: '/tmp', autoApprove: ['read'] },
        web: { url: 'https://tools.example/mcp', headers: { authorization: 'Bearer x' } },
        old: { type: 'sse', url: 'http://localhost:3000/sse' },
        surfer: { serverUrl: 'https://tools.example/mcp' },
      }).map(({ place }) => place),
    ).toEqual([
      { transport: 'stdio', command: 'npx', args: ['-y', 'server-files'], env: { DEBUG: '1' }, cwd: '/tmp' },
      { transport: 'http', url: 'https://tools.example/mcp', headers: { authorization: 'Bearer x' } },
      { transport: 'sse', url: 'http://localhost:3000/sse', headers: {} },
      { transport: 'http', url: 'https://tools.example/mcp', headers: {} },
    ]);
  });

  it('may be switched off in both spellings, and stand under `servers`', () => {
    expect(
      parse({ a: { command: 'x', disabled: true }, b: { command: 'x', enabled: false } }).map(
        ({ disabled }) => disabled,
      ),
    ).toEqual([true, true]);
    expect(parseToolServers('{"servers": {"a": {"command": "x"}}}', {})).toHaveLength(1);
  });

  it('take variables, so that keys need not stand in the file', () => {
    const variables = { HOME: '/home/ann', KEY: 'k' };
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the file's own spelling
    const entry = { command: '${HOME}/bin/x', env: { KEY: '${env:KEY}', MODE: '${MODE:-fast}' } };
    expect(parse({ a: entry }, variables)[0]?.place).toMatchObject({
      command: '/home/ann/bin/x',
      env: { KEY: 'k', MODE: 'fast' },
    });
    expect(parse({ a: entry }, {})[0]).toMatchObject({
      place: undefined,
      problem: expect.stringMatching(/HOME is not set/),
    });
  });

  it.each([
    ['no place', {}, /neither a "command" nor a "url"/],
    ['a wrong type', { command: 1 }, /wrong at "command"/],
    ['a url of another scheme', { url: 'file:///etc/passwd' }, /no http or https URL/],
    ['no object', 'npx x', /wrong at ""/],
  ])('that are written wrong are told, and do not matter to the others: %s', (_, entry, problem) => {
    const [wrong, right] = parse({ wrong: entry, right: { command: 'x' } });
    expect(wrong).toMatchObject({ place: undefined, problem: expect.stringMatching(problem) });
    expect(right?.place).toBeDefined();
  });

  it.each(['', '{', '[]', '{}', '{"mcpServers": []}'])('%j is no such file', (text) => {
    expect(() => parseToolServers(text, {})).toThrow(/^(is no JSON|has no "mcpServers")/);
  });
});
