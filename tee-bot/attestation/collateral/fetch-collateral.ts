/**
 * Asks a provisioning service (Intel's PCS, or a PCCS that caches it; both speak the PCS API v4) for what it says of the
 * platform that signed a quote. What comes is looked at for its form only: whether it is true is the verifier's question.
 * https://api.portal.trustedservices.intel.com/content/documentation.html
 */
import type { Clock } from "../../../shared/clock.ts";
import { readBytes } from "../../../shared/bytes.ts";
import { AppError } from "../../../shared/errors.ts";
import { maxCollateralBytes, type Collateral } from "../../../shared/attestation/collateral.ts";
import { readCrl, readIssuerChain, readSignedDocument } from "./pcs-answer.ts";
import { readPlatform, type Platform } from "./platform.ts";

export interface CollateralRequest {
  /** Of the service: `https://pccs.example`, with or without the path of its API. */
  readonly base: string;
  readonly quote: Uint8Array;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export interface FetchedCollateral {
  readonly documents: Collateral;
  /** Seconds since 1970. */
  readonly retrieved_at: number;
  /** The origin that was asked. */
  readonly source: string;
}

/** Of each of the four answers, which are asked for at once. */
export const collateralTimeoutMs = 10_000;
/** Intel's own service has no path for the root's revocation list. */
const intelHost = "api.trustedservices.intel.com";
const intelRootCrl = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

/**
 * The collateral of the quote's platform. Throws `evidence-rejected` when the quote names no platform, `upstream-timeout`
 * and `upstream-unavailable` when the service does not answer, or not in the form of the API.
 */
export async function fetchCollateral(request: CollateralRequest): Promise<FetchedCollateral> {
  return await fetchPlatformCollateral(readPlatform(request.quote), request);
}

/** The same for a platform that is known already. */
export async function fetchPlatformCollateral(
  { fmspc, ca }: Platform,
  { base, fetch, clock, signal }: Omit<CollateralRequest, "quote">,
): Promise<FetchedCollateral> {
  const root = baseOf(base);
  const ask = (url: string): Promise<PcsAnswer> => fetchAnswer(url, fetch, signal);
  const [pckCrl, tcb, identity, rootCrl] = await Promise.all([
    ask(`${root}/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`),
    ask(`${root}/tdx/certification/v4/tcb?fmspc=${fmspc}`),
    ask(`${root}/tdx/certification/v4/qe/identity?update=standard`),
    ask(new URL(root).hostname === intelHost ? intelRootCrl : `${root}/sgx/certification/v4/rootcacrl`),
  ]);
  const tcbInfo = readSignedDocument(tcb, "tcbInfo");
  const qeIdentity = readSignedDocument(identity, "enclaveIdentity");
  return {
    documents: {
      pck_crl_issuer_chain: readIssuerChain(pckCrl, ["sgx-pck-crl-issuer-chain"]),
      root_ca_crl: readCrl(rootCrl),
      pck_crl: readCrl(pckCrl),
      // Renamed in v4; some caches keep the name of v3.
      tcb_info_issuer_chain: readIssuerChain(tcb, ["tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain"]),
      tcb_info: tcbInfo.text,
      tcb_info_signature: tcbInfo.signature,
      qe_identity_issuer_chain: readIssuerChain(identity, ["sgx-enclave-identity-issuer-chain"]),
      qe_identity: qeIdentity.text,
      qe_identity_signature: qeIdentity.signature,
    },
    retrieved_at: Math.floor(clock.now() / 1000),
    source: new URL(root).origin,
  };
}

/** One answer of the service, whole. */
export interface PcsAnswer {
  /** For messages. */
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** As the library of the same service takes it: what follows the origin may be given or not. */
function baseOf(text: string): string {
  const base = text.replace(/\/+$/, "").replace(/\/(sgx|tdx)\/certification\/v4$/, "");
  if (URL.canParse(base)) return base;
  throw new AppError("bad-request", `"${text}" is no URL at which collateral could be asked for.`);
}

async function fetchAnswer(url: string, fetch: typeof globalThis.fetch, signal?: AbortSignal): Promise<PcsAnswer> {
  const deadline = AbortSignal.timeout(collateralTimeoutMs);
  try {
    const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
    const response = await fetch(url, { signal: either, redirect: "manual" });
    const body = await readBytes(response, maxCollateralBytes / 2); // a revocation list doubles as hex
    if (response.status !== 200)
      throw new AppError("upstream-unavailable", `${url} answered with status ${response.status}.`);
    if (!body)
      throw new AppError("upstream-unavailable", `${url} answered with more than ${maxCollateralBytes / 2} bytes.`);
    return { url, headers: response.headers, body };
  } catch (error) {
    if (error instanceof AppError || signal?.aborted) throw error;
    const [code, what] = deadline.aborted
      ? (["upstream-timeout", `did not answer within ${collateralTimeoutMs / 1000} s`] as const)
      : (["upstream-unavailable", "cannot be reached"] as const);
    throw new AppError(code, `${url} ${what}.`, { cause: error });
  }
}
