import { BlockList, isIP } from 'node:net';

/** IANA's special-purpose registry for IPv4 (RFC 6890 and its successors), multicast and class E. */
const specialIPv4 = blockList('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // shared by the customers of a carrier
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local: the metadata services of clouds
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]);

/** All that was ever given out for the public internet; everything else of IPv6 is special or unassigned. */
const globalIPv6 = blockList('ipv6', [['2000::', 3]]);

/** What is special within it. 6to4 and Teredo carry an IPv4 address in other clothes. */
const specialIPv6 = blockList('ipv6', [
  ['2001::', 23], // protocol assignments: Teredo, benchmarking, ORCHID
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
]);

/** Networks without IPv4 reach it through this prefix (RFC 6052): the last four bytes are the address. */
const translated = blockList('ipv6', [['64:ff9b::', 96]]);

/**
 * Whether an address belongs to the public internet. IPv4 in the form of IPv6 does not, whatever it leads to: resolvers
 * have no reason to write it so. The one exception is the prefix that networks without IPv4 translate.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !specialIPv4.check(address, 'ipv4');
    case 6:
      // A zone names an interface of this machine.
      if (address.includes('%')) return false;
      if (translated.check(address, 'ipv6')) return isPublicAddress(lastFourBytes(address));
      return globalIPv6.check(address, 'ipv6') && !specialIPv6.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Whether two spellings are one address. */
export function isSameAddress(one: string, other: string): boolean {
  if (isIP(one) === 0 || isIP(one) !== isIP(other)) return false;
  const family = isIP(one) === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addAddress(one, family);
  return list.check(other, family);
}

function lastFourBytes(address: string): string {
  // The WHATWG parser writes every spelling of IPv6 in one form, without dots.
  const written = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [high = '0', low = '0'] = written.replace('::', ':0:').split(':').slice(-2);
  const bytes = [high, low].flatMap((group) => {
    const value = Number.parseInt(group || '0', 16);
    return [value >> 8, value & 255];
  });
  return bytes.join('.');
}

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family);
  return list;
}
