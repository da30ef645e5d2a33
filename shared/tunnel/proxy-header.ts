/**
 * The PROXY protocol header, version 2 (haproxy.org, proxy-protocol.txt §2.2), as far as it is used here: the
 * command PROXY over TCP with the addresses of the visitor and of the port it reached.
 *
 *     0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a | 21 | 11 or 21 | length | source | destination | ports
 */
export interface ProxyAddresses {
  /** IPv4 dotted or IPv6 text; both sides of the same family after normalisation of `::ffff:a.b.c.d`. */
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
}

const signature = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const fixedBytes = 16;

/** The command LOCAL: a connection of the sender's own, such as a health check, that stands for no visitor. */
export const localProxyHeader: Uint8Array = Uint8Array.of(...signature, 0x20, 0x00, 0x00, 0x00);

export const maxProxyHeaderBytes = 536; // what the specification asks every receiver to take

export function encodeProxyHeader(addresses: ProxyAddresses): Uint8Array {
  const source = parseAddress(addresses.sourceAddress);
  const destination = parseAddress(addresses.destinationAddress);
  const v4 = source.length === 4 && destination.length === 4;
  const addressBytes = v4 ? 4 : 16;
  const bytes = new Uint8Array(fixedBytes + 2 * addressBytes + 4);
  const view = new DataView(bytes.buffer);
  bytes.set(signature);
  bytes[12] = 0x21; // version 2, command PROXY
  bytes[13] = v4 ? 0x11 : 0x21; // TCP over IPv4 or IPv6
  view.setUint16(14, 2 * addressBytes + 4);
  bytes.set(v4 ? source : mapped(source), fixedBytes);
  bytes.set(v4 ? destination : mapped(destination), fixedBytes + addressBytes);
  view.setUint16(fixedBytes + 2 * addressBytes, addresses.sourcePort);
  view.setUint16(fixedBytes + 2 * addressBytes + 2, addresses.destinationPort);
  return bytes;
}

export type ParsedProxyHeader =
  | { kind: "header"; addresses: ProxyAddresses; length: number }
  | { kind: "incomplete" }
  | { kind: "refused"; reason: string };

/** Reads a header from the start of `bytes`; what follows `length` is the visitor's. TLVs are skipped. */
export function parseProxyHeader(bytes: Uint8Array): ParsedProxyHeader {
  for (let at = 0; at < Math.min(bytes.length, signature.length); at++)
    if (bytes[at] !== signature[at]) return { kind: "refused", reason: "no PROXY v2 signature" };
  if (bytes.length < fixedBytes) return { kind: "incomplete" };
  if (bytes[12] !== 0x21) return { kind: "refused", reason: "not version 2 with command PROXY" };
  const family = bytes[13];
  if (family !== 0x11 && family !== 0x21) return { kind: "refused", reason: "not TCP over IPv4 or IPv6" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const addressBytes = family === 0x11 ? 4 : 16;
  const length = fixedBytes + view.getUint16(14);
  if (length < fixedBytes + 2 * addressBytes + 4) return { kind: "refused", reason: "addresses are cut short" };
  if (length > maxProxyHeaderBytes) return { kind: "refused", reason: "longer than 536 bytes" };
  if (bytes.length < length) return { kind: "incomplete" };
  const ports = fixedBytes + 2 * addressBytes;
  return {
    kind: "header",
    length,
    addresses: {
      sourceAddress: formatAddress(bytes.subarray(fixedBytes, fixedBytes + addressBytes)),
      sourcePort: view.getUint16(ports),
      destinationAddress: formatAddress(bytes.subarray(fixedBytes + addressBytes, ports)),
      destinationPort: view.getUint16(ports + 2),
    },
  };
}

/** 4 or 16 bytes; `::ffff:1.2.3.4`, which a dual-stack socket reports for IPv4, becomes 4. */
function parseAddress(text: string): Uint8Array {
  const address = text.replace(/%.*$/, "");
  const dotted = /^(?:::ffff:)?(\d+)\.(\d+)\.(\d+)\.(\d+)$/i.exec(address);
  if (dotted) return Uint8Array.of(Number(dotted[1]), Number(dotted[2]), Number(dotted[3]), Number(dotted[4]));
  const bytes = new Uint8Array(16);
  // A dotted end, as in `::1.2.3.4`, which inet_ntop writes for some addresses, is two more groups.
  const groupsOnly = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = "", tail = ""] = groupsOnly.split("::");
  const write = (groups: string[], at: number): void =>
    groups.forEach((group, index) => {
      const value = Number.parseInt(group, 16);
      bytes[at + 2 * index] = value >> 8;
      bytes[at + 2 * index + 1] = value & 0xff;
    });
  const groupsOf = (part: string): string[] => (part === "" ? [] : part.split(":"));
  write(groupsOf(head), 0);
  write(groupsOf(tail), 16 - 2 * groupsOf(tail).length);
  return bytes;
}

function mapped(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...address);
}

function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) groups.push((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16));
  // RFC 5952 §4.2: the longest run of zero groups, the first of equals, becomes "::".
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(":");
  return `${groups.slice(0, best.start).join(":")}::${groups.slice(best.start + best.length).join(":")}`;
}
