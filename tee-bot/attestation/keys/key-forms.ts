/** Private keys made of 32 uniform bytes, as PKCS #8 PEM. */
import { createECDH, createPrivateKey, hkdfSync, type KeyObject } from "node:crypto";

/** PrivateKeyInfo around a key of 32 bytes (RFC 8410 §7); the last arc of the OID 1.3.101 is the algorithm. */
const pkcs8Prefixes = {
  ed25519: "302e020100300506032b657004220420",
  x25519: "302e020100300506032b656e04220420",
} as const;

/** The bytes are Ed25519's seed (RFC 8032 §5.1.5), or X25519's scalar before it is clamped (RFC 7748 §5). */
export function edwardsPem(algorithm: keyof typeof pkcs8Prefixes, seed: Uint8Array): string {
  const der = Buffer.concat([Buffer.from(pkcs8Prefixes[algorithm], "hex"), seed]);
  return pemOf(createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
}

/** Order of P-256 (SEC 2 §2.4.2). */
const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** 64 bits more than the order has, so that no remainder is likelier than another by more than 2^-64. */
const p256ExpandedBytes = 40;

/** A scalar from 1 to n - 1 by reducing extra random bits (FIPS 186-5 §A.2.1). */
export function p256Pem(seed: Uint8Array): string {
  const expanded = Buffer.from(hkdfSync("sha256", seed, "", "p256-scalar", p256ExpandedBytes)).toString("hex");
  const scalar = (BigInt(`0x${expanded}`) % (p256Order - 1n)) + 1n;
  const d = Buffer.from(scalar.toString(16).padStart(64, "0"), "hex");
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(d);
  const point = curve.getPublicKey();
  const coordinates = { x: point.subarray(1, 33).toString("base64url"), y: point.subarray(33).toString("base64url") };
  const key = { kty: "EC", crv: "P-256", d: d.toString("base64url"), ...coordinates };
  return pemOf(createPrivateKey({ key, format: "jwk" }));
}

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
