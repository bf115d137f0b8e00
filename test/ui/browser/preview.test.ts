import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, visit } from './support.ts';
import { answers, openTalk, send, type Talk, whole } from './talk.ts';

/** Counts whoever knocks: connections, and datagrams of WebRTC. */
describeInBrowser('a preview', () => {
  closeBrowserAfterwards();
  const knocks: string[] = [];
  const sent: string[] = [];
  const tcp = createServer((socket) => {
    knocks.push('tcp');
    socket.on('data', () => sent.push('tcp')).on('error', () => undefined);
  });
  const udp = createSocket('udp4', () => knocks.push('udp'));
  let talk: Talk;
  beforeAll(async () => {
    talk = await openTalk();
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await talk.close();
    tcp.close();
    udp.close();
  });

  it('runs its scripts and reaches nothing, whatever it tries', async () => {
    const { page, complaints } = await visit(talk.url);
    const address = tcp.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await page.locator('[data-phase=ready]').waitFor();
    await send(page, 'A page, please');
    const code = escapes(port, udp.address().port);
    answers(
      await talk.run(),
      `\`\`\`html\n${code}\n\`\`\`\n\n\`\`\`svg\n<svg viewBox="0 0 9 9"><circle r="4"/></svg>\n\`\`\`\n`,
    );
    await whole(page);
    await page.getByRole('button', { name: 'Preview' }).first().click();
    const frame = page.frameLocator('iframe.preview').first();
    await frame.locator('#told', { hasText: 'all tried' }).waitFor();
    expect(JSON.parse((await frame.locator('#found').textContent()) ?? '')).toEqual({
      origin: 'null',
      rtc: 'undefined',
      fetch: 'refused',
      api: 'refused',
      storage: 'refused',
      cookies: 'refused',
      parent: 'refused',
      popup: 'refused',
      frame: 'refused',
      link: 'refused',
      worker: 'refused',
      socket: 'refused',
      markup: 0,
    });
    await page.getByRole('button', { name: 'Preview' }).last().click();
    await page.frameLocator('iframe.preview').last().locator('circle').waitFor();
    await isAccessible(page, 'preview');
    // Time enough for what was begun: a request of the page that comes back is later than any of it.
    await page.evaluate(() => fetch('health').then((response) => response.text()));
    expect(knocks).toEqual([]);
    expect(page.url()).toContain(talk.url);
    expect(page.frames().map((each) => new URL(each.url()).pathname)).toEqual(['/', '/ui/sandbox', '/ui/sandbox']);
    expect(complaints.filter((each) => !/^(?:foreign|console)/.test(each))).toEqual([]);
    await frame.locator('#a').click();
    await frame.locator('#told', { hasText: 'all tried' }).waitFor();
    expect(knocks).toEqual([]);
    // Leaving by script leads nowhere either: Chromium opens a connection for it, finds that it may not, and sends nothing.
    await frame.locator('#leave').click();
    await frame.locator('#leave').waitFor({ state: 'detached' });
    await page.evaluate(() => fetch('health').then((response) => response.text()));
    expect(sent).toEqual([]);
    await page.getByRole('button', { name: 'Preview' }).first().click();
    await page.locator('iframe.preview').nth(1).waitFor({ state: 'detached' });
    await page.context().close();
  });
});

/** A document that tries every way out that is known here. */
function escapes(tcp: number, udp: number): string {
  const out = `http://127.0.0.1:${tcp}/stolen`;
  return `<!doctype html>
<html><head><meta http-equiv="refresh" content="0;url=${out}"><base href="${out}/">
<link rel="dns-prefetch" href="${out}"><link rel="preconnect" href="${out}"><link rel="prefetch" href="${out}"><link rel="stylesheet" href="${out}">
<script type="speculationrules">{"prefetch":[{"source":"list","urls":["${out}"]}]}</script></head>
<body><img src="${out}"><iframe src="${out}"></iframe><iframe srcdoc="<script>top.postMessage(1,'*')</script>"></iframe>
<object data="${out}"></object><embed src="${out}"><form id="form" action="${out}"><input name="a"></form><a id="a" href="${out}" ping="${out}">x</a>
<button id="leave">leave</button><p id="told"></p><p id="found"></p>
<script>
const refused = async (work) => { try { const got = await work(); return got === null || got === undefined ? 'refused' : String(got); } catch { return 'refused'; } };
(async () => {
  const found = {
    origin: String(self.origin),
    rtc: typeof RTCPeerConnection,
    fetch: await refused(() => fetch('${out}')),
    api: await refused(() => fetch('/health')),
    storage: await refused(() => localStorage),
    cookies: await refused(() => document.cookie),
    parent: await refused(() => parent.document),
    popup: await refused(() => open('${out}')),
    frame: await refused(() => document.createElement('iframe')),
    link: await refused(() => Object.assign(document.createElementNS('http://www.w3.org/1999/xhtml', 'link'), { rel: 'preconnect', href: '${out}' })),
    worker: await refused(() => new Promise((done, fail) => { const w = new Worker(URL.createObjectURL(new Blob(['postMessage(1)']))); w.onmessage = done; w.onerror = fail; })),
    socket: await refused(() => new Promise((done, fail) => { const s = new WebSocket('${out}'.replace('http', 'ws')); s.onopen = done; s.onerror = fail; })),
  };
  const place = document.createElement('div');
  document.body.append(place);
  place.innerHTML = '<iframe src="${out}"></iframe><link rel="preconnect" href="${out}"><template><iframe></iframe></template>';
  document.body.insertAdjacentHTML('beforeend', '<embed src="${out}">');
  document.body.append(document.createRange().createContextualFragment('<object data="${out}"></object>'));
  document.body.append(...new DOMParser().parseFromString('<iframe srcdoc="x"></iframe>', 'text/html').body.childNodes);
  found.markup = document.querySelectorAll('iframe, link, embed, object').length + place.querySelector('template').content.childElementCount;
  try { new (Object.getPrototypeOf(async function () {}).constructor)('new RTCPeerConnection({iceServers:[{urls:"stun:127.0.0.1:${udp}"}]}).createDataChannel("x")')(); } catch {}
  document.querySelector('#form').submit();
  navigator.sendBeacon?.('${out}', 'x');
  new Image().src = '${out}?image';
  document.body.style.background = 'url(${out}?css)';
  import('${out}').catch(() => 0);
  try { top.location = '${out}'; } catch {}
  document.querySelector('#leave').onclick = () => { location.href = '${out}'; };
  document.querySelector('#found').textContent = JSON.stringify(found);
  document.querySelector('#told').textContent = 'all tried';
})();
</script></body></html>`;
}
