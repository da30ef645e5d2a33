import { createHash, generateKeyPairSync, sign, verify, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ed25519KeyOfSpki } from "../../../shared/certificate/ed25519-spki.ts";
import { nodeIdOfKey } from "../../../shared/registry/node-id.ts";
import {
  maxAgeMs,
  maxSkewMs,
  signRequest,
  verifyRequest,
  type RequestParts,
  type RequestSigner,
  type SignerRole,
  type VerifiedRequest,
} from "../../../shared/signature/signed-request.ts";
import { refusalOfAsync } from "../refusal.ts";

const now = Date.UTC(2026, 10, 21, 12, 0, 0);
const url = "https://edge.example/v1/nodes/x/lease?since=1";

function makeSigner(
  role: SignerRole = "postern-node",
): RequestSigner & { keys: { publicKey: KeyObject; privateKey: KeyObject } } {
  const keys = generateKeyPairSync("ed25519");
  const raw = ed25519KeyOfSpki(keys.publicKey.export({ type: "spki", format: "der" })) ?? new Uint8Array();
  return { id: nodeIdOfKey(raw), role, privateKey: keys.privateKey.toCryptoKey("Ed25519", false, ["sign"]), keys };
}

const signer = makeSigner();
const parts: RequestParts = {
  method: "PUT",
  url,
  body: '{"epoch":7}',
  headers: { "content-type": "application/json" },
};

interface ArrivalOptions {
  sent?: RequestParts;
  by?: RequestSigner;
  signedAt?: number;
  role?: SignerRole;
}

/** What arrives when `sent` was signed at `signedAt`, and something on the way made `arriving` of it. */
async function arrive(
  arriving: Partial<RequestParts> & { change?: (headers: Headers) => void } = {},
  { sent = parts, by = signer, signedAt = now, role = "postern-node" }: ArrivalOptions = {},
): Promise<VerifiedRequest> {
  const headers = await signRequest(sent, by, signedAt);
  arriving.change?.(headers);
  const { method, body } = { ...sent, ...arriving };
  const request = new Request(arriving.url ?? sent.url, { method, headers });
  return verifyRequest(request, new TextEncoder().encode(body ?? ""), { role, now });
}

describe("a signed request", () => {
  it("is verified, and tells who signed and when its nonce may be forgotten", async () => {
    const verified = await arrive();
    expect(verified.id).toBe(signer.id);
    expect(verified.nonce).toMatch(/^[0-9a-f-]{36}$/);
    expect(verified.expiresAt).toBe(now + maxAgeMs + maxSkewMs);
  });

  it("has a nonce of its own each time", async () => {
    expect((await arrive()).nonce).not.toBe((await arrive()).nonce);
  });

  it("may be without a body, whose digest is signed all the same", async () => {
    const sent = { method: "GET", url };
    expect((await arrive({}, { sent })).id).toBe(signer.id);
    expect(await refusalOfAsync(() => arrive({ body: "x" }, { sent }))).toBe("signature-invalid");
  });

  it.each([-maxAgeMs, -1000, 0, maxSkewMs])("is taken when it was signed at %d ms from now", async (offsetMs) => {
    expect((await arrive({}, { signedAt: now + offsetMs })).id).toBe(signer.id);
  });

  it.each([
    ["6 minutes old", -6 * 60_000],
    ["a second too old", -maxAgeMs - 1000],
    ["from a minute ahead", 60_000],
    ["from a day ahead", 86_400_000],
  ])("is refused when it is %s", async (_, offsetMs) => {
    expect(await refusalOfAsync(() => arrive({}, { signedAt: now + offsetMs }))).toBe("signature-expired");
  });

  const keyOfSomebodyElse = { ...signer, privateKey: makeSigner().privateKey };
  it.each<[what: string, attempt: () => Promise<unknown>]>([
    ["another body", () => arrive({ body: '{"epoch":8}' })],
    ["no body", () => arrive({ body: "" })],
    ["another method", () => arrive({ method: "DELETE" })],
    ["another path", () => arrive({ url: "https://edge.example/v1/nodes/y/lease?since=1" })],
    ["another query", () => arrive({ url: url.replace("since=1", "since=2") })],
    ["another host", () => arrive({ url: url.replace("edge.", "evil.") })],
    ["http instead of https", () => arrive({ url: url.replace("https:", "http:") })],
    ["a digest for another body", () => arrive({ change: (headers) => headers.set("content-digest", digestOf("x")) })],
    ["a relay's signature where a node's is asked", () => arrive({}, { by: makeSigner("postern-relay") })],
    ["a node's signature where a relay's is asked", () => arrive({}, { role: "postern-relay" })],
    ["the key of somebody else", () => arrive({}, { by: keyOfSomebodyElse })],
    ["the id of somebody else", () => arrive({ change: replaceInput(signer.id, makeSigner().id) })],
    ["another nonce", () => arrive({ change: replaceInput(/nonce="./, 'nonce="x') })],
    ["another time", () => arrive({ change: replaceInput(/created=\d+/, `created=${now / 1000 - 1}`) })],
    ["another tag", () => arrive({ change: replaceInput("postern-node", "postern-relay") }, { role: "postern-relay" })],
    ["a signature changed by a bit", () => arrive({ change: flipSignature })],
    ["a signature cut short", () => arrive({ change: (headers) => headers.set("signature", "postern=:AAAA:") })],
    ["a signature that is no dictionary", () => arrive({ change: (headers) => headers.set("signature", "((") })],
    ["an input that is no dictionary", () => arrive({ change: (headers) => headers.set("signature-input", "=;=") })],
  ])("is refused with %s", async (_, attempt) => {
    expect(await refusalOfAsync(attempt)).toBe("signature-invalid");
  });

  it.each(["signature", "signature-input", "content-digest"])("is refused as unsigned without %s", async (header) => {
    expect(await refusalOfAsync(() => arrive({ change: (headers) => headers.delete(header) }))).toBe(
      "signature-missing",
    );
  });

  it("is refused as unsigned when only another signature is there", async () => {
    const relabel = (headers: Headers): void => {
      for (const name of ["signature", "signature-input"])
        headers.set(name, (headers.get(name) ?? "").replace("postern=", "proxy="));
    };
    expect(await refusalOfAsync(() => arrive({ change: relabel }))).toBe("signature-missing");
  });

  it("is refused with a key that anyone can sign for", async () => {
    const weak = replaceInput(signer.id, "0".repeat(64));
    expect(await refusalOfAsync(() => arrive({ change: weak }))).toBe("key-weak");
  });

  it.each(["hello", "", "../x"])("is refused with the key id %j", async (keyid) => {
    expect(await refusalOfAsync(() => arrive({ change: replaceInput(signer.id, keyid) }))).toBe("bad-request");
  });
});

describe("RFC 9421", () => {
  const paramsOf = (headers: Headers): string => (headers.get("signature-input") ?? "").replace(/^postern=/, "");
  const baseOf = (params: string, body: string): string =>
    [
      `"@method": PUT`,
      `"@target-uri": ${url}`,
      `"content-digest": ${digestOf(body)}`,
      `"@signature-params": ${params}`,
    ].join("\n");

  it("is what signRequest does, as a base built by hand and OpenSSL's verification show", async () => {
    const headers = await signRequest(parts, signer, now);
    expect(headers.get("content-digest")).toBe(digestOf(parts.body ?? ""));
    const params = paramsOf(headers);
    expect(params).toMatch(
      /^\("@method" "@target-uri" "content-digest"\);created=1795262400;keyid="[0-9a-f]{64}";nonce="[^"]{36}";/,
    );
    const signature = Buffer.from(/^postern=:(.*):$/.exec(headers.get("signature") ?? "")?.[1] ?? "", "base64");
    expect(verify(null, Buffer.from(baseOf(params, parts.body ?? "")), signer.keys.publicKey, signature)).toBe(true);
  });

  /** A request signed by hand, with a choice of covered components and parameters. */
  const signedByHand = (covered: string, parameters: string): Promise<VerifiedRequest> => {
    const body = "{}";
    const params = `${covered};${parameters}`;
    const base = baseOf(params, body)
      .split("\n")
      .filter((line) => line.startsWith('"@signature-params"') || covered.includes(line.split(":")[0] ?? ""))
      .join("\n");
    const headers = new Headers({
      "content-digest": digestOf(body),
      "signature-input": `postern=${params}`,
      signature: `postern=:${sign(null, Buffer.from(base), signer.keys.privateKey).toString("base64")}:`,
    });
    const request = new Request(url, { method: "PUT", headers });
    return verifyRequest(request, new TextEncoder().encode(body), { role: "postern-node", now });
  };
  const everything = '("@method" "@target-uri" "content-digest")';
  const created = `created=${now / 1000}`;
  const keyid = `keyid="${signer.id}"`;

  it("is what verifyRequest asks for: a signature made by hand with OpenSSL is taken", async () => {
    const verified = await signedByHand(everything, `${created};${keyid};nonce="n-1";tag="postern-node";alg="ed25519"`);
    expect(verified).toEqual({ id: signer.id, nonce: "n-1", expiresAt: now + maxAgeMs + maxSkewMs });
  });

  it.each([
    ["the method", '("@target-uri" "content-digest")', `${created};${keyid};nonce="n";tag="postern-node"`],
    ["the URI", '("@method" "content-digest")', `${created};${keyid};nonce="n";tag="postern-node"`],
    ["the digest", '("@method" "@target-uri")', `${created};${keyid};nonce="n";tag="postern-node"`],
    ["anything", "()", `${created};${keyid};nonce="n";tag="postern-node"`],
    ["a time", everything, `${keyid};nonce="n";tag="postern-node"`],
    ["a key id", everything, `${created};nonce="n";tag="postern-node"`],
    ["a nonce", everything, `${created};${keyid};tag="postern-node"`],
    ["a tag", everything, `${created};${keyid};nonce="n"`],
    ["a nonce that says something", everything, `${created};${keyid};nonce="";tag="postern-node"`],
    ["a nonce of reasonable length", everything, `${created};${keyid};nonce="${"n".repeat(65)}";tag="postern-node"`],
    ["the right algorithm", everything, `${created};${keyid};nonce="n";tag="postern-node";alg="hmac-sha256"`],
  ])("is not enough without %s", async (_, covered, parameters) => {
    expect(await refusalOfAsync(() => signedByHand(covered, parameters))).toBe("signature-invalid");
  });
});

function digestOf(body: string): string {
  return `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
}

function replaceInput(from: string | RegExp, to: string): (headers: Headers) => void {
  return (headers) => headers.set("signature-input", (headers.get("signature-input") ?? "").replace(from, to));
}

function flipSignature(headers: Headers): void {
  const signature = Buffer.from(/:(.*):/.exec(headers.get("signature") ?? "")?.[1] ?? "", "base64");
  signature[10] = (signature[10] ?? 0) ^ 1;
  headers.set("signature", `postern=:${signature.toString("base64")}:`);
}
