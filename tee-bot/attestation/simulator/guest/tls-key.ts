/**
 * Certificates of the key provider's CA, as GetTlsKey and tappd's DeriveKey give them; with `usage_ra_tls` they carry a
 * quote over their own key (ra-tls/src/cert.rs, oids.rs).
 */
import { createHash, createPrivateKey, type KeyObject } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
} from "@peculiar/x509";
import { issueCertificate, publicKeyOf, type Holder } from "../pki/authority.ts";
import { derOctets } from "../pki/der.ts";
import { pemOf } from "../pki/holder-json.ts";
import { AgentError } from "./agent-error.ts";
import { deriveKey } from "./app-keys.ts";

export interface TlsKeyRequest {
  readonly subject: string;
  readonly altNames: readonly string[];
  readonly raTls: boolean;
  readonly serverAuth: boolean;
  readonly clientAuth: boolean;
  /** Seconds since 1970. */
  readonly notBefore?: number | undefined;
  readonly notAfter?: number | undefined;
}

export interface TlsKeyIssuer {
  readonly ca: Holder;
  readonly appId: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A quote and its log, for certificates that carry them. */
  readonly quote: (reportData: Uint8Array) => Promise<{ quote: Uint8Array; eventLog: string }>;
}

const raTlsOid = "1.3.6.1.4.1.62397.1";
const oids = {
  quote: `${raTlsOid}.1`,
  eventLog: `${raTlsOid}.2`,
  appId: `${raTlsOid}.3`,
  usage: `${raTlsOid}.4`,
} as const;
const usage = "app:custom";
const dayMs = 86_400_000;
const lifetimeMs = 10 * 365 * dayMs;

/** The P-256 key that a secret and a path make. */
export function deriveP256Key(secret: Uint8Array, ...context: readonly (Uint8Array | string)[]): KeyObject {
  const scalar = deriveKey(secret, ...context);
  const point = p256.getPublicKey(scalar, false);
  const part = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
  const coordinates = { x: part(point.subarray(1, 33)), y: part(point.subarray(33)) };
  return createPrivateKey({ key: { kty: "EC", crv: "P-256", d: part(scalar), ...coordinates }, format: "jwk" });
}

/** As the calls answer it. */
export async function issueTlsKey(key: KeyObject, request: TlsKeyRequest, issuer: TlsKeyIssuer) {
  const { notBefore = issuer.now / 1000 - 60, notAfter = (issuer.now + lifetimeMs) / 1000 } = request;
  if (notBefore >= notAfter) throw new AgentError("not_before must be earlier than not_after");
  const certificate = await issueCertificate(
    {
      name: [{ CN: [request.subject] }],
      publicKey: publicKeyOf(key),
      notBefore: notBefore * 1000,
      notAfter: notAfter * 1000,
      extensions: [...namesAndUsages(request), ...(await attested(key, request, issuer))],
    },
    issuer.ca,
  );
  return { key: pemOf(key), certificate_chain: [certificate, issuer.ca.certificate].map(pemCertificate) };
}

function namesAndUsages({ altNames, serverAuth, clientAuth }: TlsKeyRequest): Extension[] {
  const usages = [
    ...(serverAuth ? [ExtendedKeyUsage.serverAuth] : []),
    ...(clientAuth ? [ExtendedKeyUsage.clientAuth] : []),
  ];
  return [
    ...(altNames.length > 0
      ? [new SubjectAlternativeNameExtension(altNames.map((value) => ({ type: "dns" as const, value })))]
      : []),
    ...(usages.length > 0 ? [new ExtendedKeyUsageExtension(usages)] : []),
  ];
}

async function attested(
  key: KeyObject,
  { raTls }: TlsKeyRequest,
  { appId, quote }: TlsKeyIssuer,
): Promise<Extension[]> {
  const extension = (oid: string, content: Uint8Array | string): Extension =>
    new Extension(oid, false, derOctets(Buffer.from(content)));
  const whose = [extension(oids.appId, appId), extension(oids.usage, usage)];
  if (!raTls) return whose;
  const evidence = await quote(raTlsReportData(key));
  return [...whose, extension(oids.quote, evidence.quote), extension(oids.eventLog, evidence.eventLog)];
}

/** SHA512("ratls-cert:" ‖ SPKI). */
function raTlsReportData(key: KeyObject): Buffer {
  const spki = publicKeyOf(key).export({ type: "spki", format: "der" });
  return createHash("sha512").update("ratls-cert:").update(spki).digest();
}

function pemCertificate(certificate: X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}
