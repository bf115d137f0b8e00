import { expect, it } from 'vitest';
import { strftime } from '../../src/prompt/strftime.ts';

const date = new Date(2026, 2, 5, 14, 7, 9);

it.each([
  ['%d %b %Y', '05 Mar 2026'],
  ['%-d %B %y', '5 March 26'],
  ['%A, %a', 'Thursday, Thu'],
  ['%H:%M:%S %I %p', '14:07:09 02 PM'],
  ['%Y-%m-%dT%T %F', '2026-03-05T14:07:09 2026-03-05'],
  ['%j %e', '064  5'],
  ['100%% %Q', '100% %Q'],
])('writes %s as %s', (format, text) => {
  expect(strftime(date, format)).toBe(text);
});
