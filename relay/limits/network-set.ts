/** Networks in CIDR notation, and whether an address is in one of them: one look for each length of prefix there is. */

interface Family {
  readonly bits: number;
  /** The first bits of the networks of one length, by length. */
  readonly prefixes: Map<number, Set<bigint>>;
}

export class NetworkSet {
  readonly #v4: Family = { bits: 32, prefixes: new Map() };
  readonly #v6: Family = { bits: 128, prefixes: new Map() };

  /** Each as `192.0.2.0/24` or `2001:db8::/32`; bits after the prefix do not count. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = "", length = ""] = network.split("/");
      const family = this.#familyOf(address);
      const prefixes = family.prefixes.get(Number(length)) ?? new Set();
      family.prefixes.set(Number(length), prefixes.add(prefixOf(address, family.bits, Number(length))));
    }
  }

  get isEmpty(): boolean {
    return this.#v4.prefixes.size + this.#v6.prefixes.size === 0;
  }

  /** Takes what a socket reports; an IPv4 address in IPv6 (`::ffff:192.0.2.1`) is one of IPv4. */
  has(address: string): boolean {
    const family = this.#familyOf(address);
    for (const [length, prefixes] of family.prefixes)
      if (prefixes.has(prefixOf(address, family.bits, length))) return true;
    return false;
  }

  #familyOf(address: string): Family {
    return isV4(address) ? this.#v4 : this.#v6;
  }
}

const mapped = /^::ffff:(?=\d+\.)/i;

function isV4(address: string): boolean {
  return !address.includes(":") || mapped.test(address);
}

function prefixOf(address: string, bits: number, length: number): bigint {
  const value = bits === 32 ? valueOfV4(address.replace(mapped, "")) : valueOfV6(address);
  return value >> BigInt(bits - length);
}

function valueOfV4(address: string): bigint {
  return address.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/** RFC 4291 §2.2: eight groups of 16 bits, `::` for the zeros, perhaps IPv4 in the last two, perhaps a zone after `%`. */
function valueOfV6(address: string): bigint {
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | group, 0n);
}

function groupsOf(text: string): bigint[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [BigInt(`0x${group}`)];
    const value = valueOfV4(group);
    return [value >> 16n, value & 0xffffn];
  });
}
