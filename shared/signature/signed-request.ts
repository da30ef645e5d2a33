/**
 * Requests to the edge, signed by the key of the node or relay that sends them: HTTP Message Signatures
 * (RFC 9421) with ed25519 over method, target URI and the digest of the body (RFC 9530), which is always
 * present, also for an empty body. Replay is refused by whoever remembers the nonces, for {@link maxAgeMs}.
 */
import {
  appendSignature,
  createSignature,
  isSignatureError,
  SignatureErrorCode,
  verifySignature,
  webcrypto,
} from "http-message-sig";
import { AppError } from "../errors.ts";
import { keyOfNodeId, parseNodeId, type NodeId } from "../registry/node-id.ts";

/** Who signs: a tag of its own for each role, so that a signature made in one never counts in the other. */
export type SignerRole = "postern-node" | "postern-relay";

export interface RequestSigner {
  readonly id: NodeId;
  readonly role: SignerRole;
  readonly privateKey: CryptoKey;
}

/** What a verified request proves. `expiresAt` is when its nonce may be forgotten (ms since the Unix epoch). */
export interface VerifiedRequest {
  readonly id: NodeId;
  readonly nonce: string;
  readonly expiresAt: number;
}

export const maxAgeMs = 5 * 60_000;
export const maxSkewMs = 30_000;
const maxNonceLength = 64;
const components = ["@method", "@target-uri", "content-digest"];

export interface RequestParts {
  method: string;
  url: string;
  body?: string;
  headers?: Record<string, string>;
}

/** The headers that make a request signed, `content-digest` included. */
export async function signRequest(parts: RequestParts, signer: RequestSigner, now: number): Promise<Headers> {
  const body = new TextEncoder().encode(parts.body ?? "");
  const headers = new Headers(parts.headers);
  headers.set("content-digest", await contentDigest(body));
  const fields = await createSignature(
    {
      kind: "request",
      method: parts.method,
      targetUri: parts.url,
      fields: [...headers].map(([name, value]) => ({ name, value })),
    },
    {
      label: "postern",
      components,
      parameters: {
        created: Math.floor(now / 1000),
        keyid: signer.id,
        nonce: crypto.randomUUID(),
        tag: signer.role,
        alg: "ed25519",
      },
      signer: webcrypto.signer(signer.privateKey),
    },
  );
  return appendSignature(headers, fields);
}

/** Checks signature, age and body digest; the caller still has to remember the nonce. Throws {@link AppError}. */
export async function verifyRequest(
  request: Request,
  body: Uint8Array<ArrayBuffer>,
  { role, now }: { role: SignerRole; now: number },
): Promise<VerifiedRequest> {
  if (!request.headers.has("signature") || !request.headers.has("signature-input"))
    throw new AppError("signature-missing", "Sign the request as RFC 9421 says; see /openapi.json.");

  const verified = await verifySignature(request, {
    label: "postern",
    policy: {
      algorithms: ["ed25519"],
      requiredComponents: components,
      requiredParameters: ["created", "keyid", "nonce", "tag"],
      now: Math.floor(now / 1000),
      maxAge: Number.MAX_SAFE_INTEGER, // age is judged below, where the answer can say so
      clockSkew: Number.MAX_SAFE_INTEGER,
    },
    resolveVerifier: async ({ parameters }) => {
      const id = parseNodeId(String(parameters.keyid));
      const key = await crypto.subtle.importKey("raw", keyOfNodeId(id), "Ed25519", false, ["verify"]);
      return { ...webcrypto.verifier(key), id };
    },
  }).catch((error: unknown) => {
    throw refusalOf(error);
  });

  const { created, nonce, tag } = verified.parameters as { created: number; nonce: string; tag: string };
  if (tag !== role) throw new AppError("signature-invalid", `The signature is not tagged "${role}".`);
  if (nonce.length === 0 || nonce.length > maxNonceLength)
    throw new AppError("signature-invalid", `The nonce must have 1 to ${maxNonceLength} characters.`);
  const createdAt = created * 1000;
  if (createdAt < now - maxAgeMs)
    throw new AppError("signature-expired", "The signature is older than 5 minutes; check the clock.");
  if (createdAt > now + maxSkewMs)
    throw new AppError("signature-expired", "The signature is from the future; check the clock.");
  if (request.headers.get("content-digest") !== (await contentDigest(body)))
    throw new AppError("signature-invalid", "The body is not the one that was signed.");
  return { id: verified.verifier.id, nonce, expiresAt: createdAt + maxAgeMs + maxSkewMs };
}

function refusalOf(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isSignatureError(error)) {
    if (error.cause instanceof AppError) return error.cause;
    if (error.code === SignatureErrorCode.MissingField || error.code === SignatureErrorCode.LabelMismatch)
      return new AppError("signature-missing", 'A signed header or the signature labelled "postern" is missing.');
  }
  return new AppError("signature-invalid", "The signature does not verify, or covers too little.", { cause: error });
}

/** RFC 9530 §2: `sha-256=:base64:`. */
async function contentDigest(body: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return `sha-256=:${btoa(String.fromCharCode(...hash))}:`;
}
