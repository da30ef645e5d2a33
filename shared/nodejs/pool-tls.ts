/** The TLS in which pool connections open where nothing else is let through, and those between relays; the visitor's own TLS is inside. */
import { hkdfSync } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Identity } from "./identity-file.ts";

/**
 * One context for all connections of a process, since making one costs more than a handshake. What is inside is
 * encrypted once more, so this layer takes what is fast: X25519 alone and AES-128-GCM first.
 */
export function createPoolContext(
  identity?: Pick<Identity, "certificate" | "privateKeyPem">,
  ticketKeys?: Buffer,
): SecureContext {
  return createSecureContext({
    minVersion: "TLSv1.3",
    ecdhCurve: "X25519",
    honorCipherOrder: true,
    sessionIdContext: "postern", // without one, a session in which the client showed a certificate is not resumed
    ciphers: "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
    ...(ticketKeys && { ticketKeys }),
    ...(identity && { cert: identity.certificate, key: identity.privateKeyPem }),
  });
}

const ticketKeyBytes = 48;

/** Keys for the tickets of one protocol, the same for all who know the secret; undefined without one. */
export function ticketKeysOf(secret: Uint8Array | undefined, alpn: string): Buffer | undefined {
  return secret && Buffer.from(hkdfSync("sha256", secret, "", `tickets of ${alpn}`, ticketKeyBytes));
}
