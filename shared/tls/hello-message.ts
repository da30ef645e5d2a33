/**
 * The body of a ClientHello: the names a client asks for, and no judgement of anything else in it, which is the
 * business of the node that answers. With encrypted ClientHello it is the outer name that is seen.
 *
 *     legacy_version  2       03 03; 03 01 and 03 02 from old clients            RFC 8446 §4.1.2
 *     random          32
 *     session_id      1 + 0..32
 *     cipher_suites   2 + 2..65534, even
 *     compression     1 + 1..255
 *     extensions      2 + …, to the end; absent from very old clients            RFC 8446 §4.2
 *       type 2, data 2 + …
 *         0   server_name: list 2 + ( type 1, name 2 + 1..65535 )…               RFC 6066 §3
 *         16  alpn:        list 2 + ( name 1 + 1..255 )…                         RFC 7301 §3.1
 */
import type { AlertDescription } from "./alert.ts";
import { Cursor } from "./cursor.ts";
import { parseServerName } from "./server-name.ts";

export interface ClientHello {
  /** Lower case, a valid host name; undefined when the client sent none. */
  readonly serverName: string | undefined;
  /** In the client's order, one character a byte; `h2`, `http/1.1`, perhaps GREASE. */
  readonly alpn: readonly string[];
}

/** Why a message is refused, and the alert that tells the client. */
export const messageRefusals = {
  /** A length that does not fit, or a list that must not be empty. */
  malformed: "decode_error",
  /** SSL 3.0 or a protocol unknown to us. */
  "old-version": "protocol_version",
  "duplicate-extension": "illegal_parameter",
  "duplicate-server-name": "illegal_parameter",
  /** Not a host name: an address, a trailing dot, characters outside letters, digits and hyphens, too long. */
  "invalid-server-name": "unrecognized_name",
} as const satisfies Record<string, AlertDescription>;

export type MessageRefusal = keyof typeof messageRefusals;

const randomBytes = 32;
const maxSessionIdBytes = 32;
const serverNameExtension = 0;
const alpnExtension = 16;
const hostNameType = 0;

/** Reads the body of one whole ClientHello message, without its four bytes of type and length. */
export function parseHelloMessage(body: Uint8Array): ClientHello | MessageRefusal {
  const hello = new Cursor(body);
  const version = hello.uint16();
  hello.skip(randomBytes);
  const sessionId = hello.vector8();
  const cipherSuites = hello.vector16();
  const compression = hello.vector8();
  if (hello.overrun || sessionId.left > maxSessionIdBytes || compression.left === 0) return "malformed";
  if (cipherSuites.left === 0 || cipherSuites.left % 2 !== 0) return "malformed";
  if (version >> 8 !== 3 || version === 0x0300) return "old-version";
  if (hello.left === 0) return { serverName: undefined, alpn: [] };

  const extensions = hello.vector16();
  if (hello.overrun || hello.left > 0) return "malformed";
  return parseExtensions(extensions);
}

function parseExtensions(extensions: Cursor): ClientHello | MessageRefusal {
  const seen = new Set<number>();
  let serverName: string | undefined;
  let alpn: readonly string[] = [];
  while (extensions.left > 0) {
    const type = extensions.uint16();
    const data = extensions.vector16();
    if (extensions.overrun) return "malformed";
    if (seen.has(type)) return "duplicate-extension";
    seen.add(type);
    if (type === serverNameExtension) {
      const parsed = parseServerNames(data);
      if (typeof parsed === "string") return parsed;
      serverName = parsed.hostName;
    } else if (type === alpnExtension) {
      const protocols = parseProtocols(data);
      if (!protocols) return "malformed";
      alpn = protocols;
    }
  }
  return { serverName, alpn };
}

/** RFC 6066 §3: entries of unknown type also begin with a length of two bytes, and are passed over. */
function parseServerNames(data: Cursor): { hostName: string | undefined } | MessageRefusal {
  const list = data.vector16();
  if (data.overrun || data.left > 0 || list.left === 0) return "malformed";
  let hostName: string | undefined;
  while (list.left > 0) {
    const type = list.uint8();
    const name = list.vector16();
    if (list.overrun || name.left === 0) return "malformed";
    if (type !== hostNameType) continue;
    if (hostName !== undefined) return "duplicate-server-name";
    hostName = parseServerName(name.text());
    if (hostName === undefined) return "invalid-server-name";
  }
  return { hostName };
}

function parseProtocols(data: Cursor): string[] | undefined {
  const list = data.vector16();
  if (data.overrun || data.left > 0 || list.left === 0) return undefined;
  const protocols: string[] = [];
  while (list.left > 0) {
    const name = list.vector8();
    if (list.overrun || name.left === 0) return undefined;
    protocols.push(name.text());
  }
  return protocols;
}
