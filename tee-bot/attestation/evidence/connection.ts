/** What is special about the TLS connection that brought a request. */
import { createHash } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { exporterBytes, exporterLabel } from "../../../shared/attestation/report-data.ts";
import { AppError } from "../../../shared/errors.ts";
import type { HttpRequest } from "../../server/terminator.ts";

export interface Connection {
  /** SHA-256 of the SubjectPublicKeyInfo of the certificate that was shown on it. */
  readonly spkiSha256: Uint8Array;
  /** The keying material that both ends have and nobody between them (RFC 8446 §7.5). */
  readonly exporter: Uint8Array;
}

/**
 * Reads it for a nonce. Throws `bad-request` where there is no TLS 1.3 that ends here: an exporter of TLS 1.2 may be the
 * same on two connections (RFC 7627 §1), so it would not tell one from a relay's other half.
 */
export function readConnection(request: HttpRequest, nonce: Uint8Array): Connection {
  const socket = tlsSocketOf(request);
  if (!socket)
    throw new AppError(
      "bad-request",
      "This request came without TLS: evidence of a connection is told at the public name.",
    );
  if (socket.getProtocol() !== "TLSv1.3")
    throw new AppError("bad-request", "This connection is not TLS 1.3, so it cannot be told from others. Use TLS 1.3.");
  const certificate = socket.getX509Certificate();
  if (!certificate) throw new AppError("internal", "The certificate of this connection is not known.");
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  return {
    spkiSha256: createHash("sha256").update(spki).digest(),
    exporter: socket.exportKeyingMaterial(exporterBytes, exporterLabel, Buffer.from(nonce)),
  };
}

/** A session of HTTP/2 hands out its socket behind a proxy that passes on what is asked here (Node 24, `http2session.socket`). */
function tlsSocketOf(request: HttpRequest): TLSSocket | undefined {
  const socket = (request.stream ? request.stream.session?.socket : request.socket) as Partial<TLSSocket> | undefined;
  return typeof socket?.exportKeyingMaterial === "function" ? (socket as TLSSocket) : undefined;
}
