/**
 * A pool connection: dialled by the node to the relay's port for each pass it was given on the control
 * connection, and idle until the relay claims it for one visitor.
 *
 *     node → relay, at once:      00 50 4e 01  | pass (16 bytes)
 *     relay → node, when claimed: PROXY protocol v2 header (the visitor's address), then the visitor's bytes
 *     both, from then on:         the visitor's TLS, as it is
 *
 * No TLS record begins with 0x00, so the relay tells a pool connection from a visitor by its first byte. Where only TLS
 * is let through, the same is said inside TLS 1.3 with the relay's own name and ALPN `postern-pool/1`, once the relay has
 * proved its key, or has resumed a session in which it did.
 */
import { passBytes } from "./control.ts";

export const poolAlpn = "postern-pool/1";
export const poolMagic: Uint8Array = Uint8Array.of(0x00, 0x50, 0x4e, 0x01); // NUL "PN", version 1
export const poolPrefaceBytes: number = poolMagic.length + passBytes;

export function encodePoolPreface(pass: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(poolPrefaceBytes);
  bytes.set(poolMagic);
  bytes.set(pass, poolMagic.length);
  return bytes;
}

export type PoolPreface = { kind: "pass"; pass: Uint8Array } | { kind: "incomplete" } | { kind: "refused" };

/** Reads the first bytes of a pool connection; more than the preface must not have been sent. */
export function parsePoolPreface(bytes: Uint8Array): PoolPreface {
  if (bytes.length > poolPrefaceBytes) return { kind: "refused" };
  for (let at = 0; at < Math.min(bytes.length, poolMagic.length); at++)
    if (bytes[at] !== poolMagic[at]) return { kind: "refused" };
  if (bytes.length < poolPrefaceBytes) return { kind: "incomplete" };
  return { kind: "pass", pass: new Uint8Array(bytes.subarray(poolMagic.length)) };
}
