import { isJsonObject, type JsonValue } from '../contract/json.ts';
import type { UsageAccount } from '../contract/services.ts';

export const dayMs = 86_400_000;

/** Nothing used yet. */
export function newAccount(owner: string, now: number): UsageAccount {
  const nothing = { requests: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, todayTokens: 0 };
  return { owner, since: now, lastUsed: now, day: dayOf(now), ...nothing };
}

/** What one owner has used according to both. */
export function addUp(one: UsageAccount, other: UsageAccount): UsageAccount {
  const day = Math.max(one.day, other.day);
  const ofDay = (account: UsageAccount) => (account.day === day ? account.todayTokens : 0);
  return {
    owner: one.owner,
    since: Math.min(one.since, other.since),
    lastUsed: Math.max(one.lastUsed, other.lastUsed),
    requests: one.requests + other.requests,
    inputTokens: one.inputTokens + other.inputTokens,
    cachedTokens: one.cachedTokens + other.cachedTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    day,
    todayTokens: ofDay(one) + ofDay(other),
  };
}

/** Days of UTC since 1970. */
export function dayOf(unixMs: number): number {
  return Math.floor(unixMs / dayMs);
}

/** Members that are missing or wrong count as nothing; accounts of nobody are left out. */
export function readAccounts(value: JsonValue | undefined): UsageAccount[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((read) => {
    if (!isJsonObject(read) || typeof read.owner !== 'string') return [];
    const numbers = Object.entries(newAccount(read.owner, 0)).flatMap(([member, zero]) => {
      const number = read[member];
      return typeof zero === 'number' ? [[member, typeof number === 'number' ? number : zero] as const] : [];
    });
    return [{ ...newAccount(read.owner, 0), ...Object.fromEntries(numbers) }];
  });
}
