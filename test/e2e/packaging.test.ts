import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const packed = z.array(z.object({ size: z.number(), files: z.array(z.object({ path: z.string() })) }));

describe('the package', () => {
  let paths: readonly string[] = [];
  let packedBytes = 0;
  beforeAll(() => {
    const root = resolve(import.meta.dirname, '../..');
    const text = execFileSync('npm', ['pack', '--ignore-scripts', '--dry-run', '--json', '--silent'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      shell: process.platform === 'win32',
    });
    const [first] = packed.parse(JSON.parse(text.slice(text.indexOf('['))));
    paths = first?.files.map((file) => file.path) ?? [];
    packedBytes = first?.size ?? 0;
  });

  it('holds what it needs to run and to be understood', () => {
    const needed = [
      'package.json',
      'README.md',
      'CHANGELOG.md',
      'LICENSE',
      'models/serve-model-demo.gguf',
      'models/serve-model-demo-mmproj.gguf',
      'models/README.md',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/main.js',
      'dist/cli/serve-model.js',
      'dist/ui/files.json',
      'dist/ui/index.html',
      'dist/ui/LICENSES.txt',
      'dist/docs/files.json',
      'dist/docs/index.html',
      'dist/docs/api/openai-chat.html',
      'src/README.md',
      'src/http/README.md',
      'src/dialects/openai-chat/README.md',
      'src/ui/pictures/chat-light.webp',
      'scripts/deploy/kubernetes.yaml',
    ];
    // What is sent compressed lies there so alone.
    const isThere = (path: string) => paths.includes(path) || paths.includes(`${path}.br`);
    expect(needed.filter((path) => !isThere(path))).toEqual([]);
  });

  it('holds the types of everything that its own types mention', () => {
    const root = resolve(import.meta.dirname, '../..');
    const reached = ['dist/index.d.ts'];
    // What is found on the way is pushed behind.
    for (const path of reached) {
      const mentioned = readFileSync(resolve(root, path), 'utf8').matchAll(
        /(?:from |import\()['"](\.[^'"]+)\.(?:js|ts)['"]/g,
      );
      for (const { 1: target = '' } of mentioned) {
        const found = relative(root, resolve(root, dirname(path), `${target}.d.ts`));
        if (!reached.includes(found)) reached.push(found);
      }
    }
    expect(reached.length).toBeGreaterThan(20);
    expect(reached.filter((path) => !paths.includes(path))).toEqual([]);
  });

  it('holds nothing else', () => {
    const expected =
      /^(dist\/(?!(ui|docs)\/).*\.(js|d\.ts)|dist\/(ui|docs)\/[\w./-]+|src\/(.*\/)?README\.md|src\/ui\/pictures\/[\w-]+\.webp|scripts\/deploy\/[\w./-]+\.(md|yaml)|models\/(serve-model-demo(-mmproj)?\.gguf|README\.md)|package\.json|(README|CHANGELOG)\.md|LICENSE)$/;
    expect(paths.filter((path) => !expected.test(path))).toEqual([]);
    expect(packedBytes).toBeLessThan(6_500_000);
  });
});
