import { nodeIdOfKey, type NodeId } from "../../../shared/registry/node-id.ts";

export interface TestIdentity {
  readonly id: NodeId;
  readonly privateKey: CryptoKey;
}

/** RFC 8410 §7: a PKCS #8 Ed25519 key is this prefix and the 32 bytes of its seed. */
const pkcs8Prefix = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/** The same key for the same text, in every process. */
export async function testIdentity(text: string): Promise<TestIdentity> {
  const seed = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const pkcs8 = Uint8Array.of(...pkcs8Prefix, ...seed);
  const extractable = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x = "" } = (await crypto.subtle.exportKey("jwk", extractable)) as { x?: string };
  const raw = Uint8Array.from(atob(x.replaceAll("-", "+").replaceAll("_", "/")), (character) =>
    character.charCodeAt(0),
  );
  return { id: nodeIdOfKey(raw), privateKey: extractable };
}

/** A key nobody has used before. */
export function freshIdentity(): Promise<TestIdentity> {
  return testIdentity(crypto.randomUUID());
}
