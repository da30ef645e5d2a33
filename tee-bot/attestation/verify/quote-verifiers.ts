/**
 * Two verifiers of others, each asked for itself: a JavaScript one and one in Rust (WebAssembly). Each alone accepts
 * something false (the first: revocation lists that nobody signed; the second: a time before anything was issued; both:
 * bytes after the quote), so neither is believed without the other, nor without verify-platform.ts before them, which
 * also keeps anything from them that Intel has not signed.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type * as dcapQvlWeb from "@phala/dcap-qvl-web";
import type { Collateral } from "../../../shared/attestation/collateral.ts";
import { tcbStatuses } from "../../../shared/attestation/policy.ts";
import type { Tcb } from "../../../shared/attestation/dcap/tcb.ts";

export interface Question {
  readonly quote: Uint8Array;
  /** Without a chain for the platform: it would stand for the quote's own. */
  readonly collateral: Omit<Collateral, "pck_certificate_chain">;
  readonly seconds: number;
  /** DER. */
  readonly root: Uint8Array;
}

export type Opinion = { readonly tcb: Tcb } | { readonly fault: string };

export interface QuoteVerifier {
  readonly name: string;
  /** What it cannot judge, as a sentence; undefined: it can. */
  readonly limit: (question: { readonly version: number; readonly isIntelRoot: boolean }) => string | undefined;
  readonly ask: (question: Question) => Promise<Opinion>;
}

const javascriptVerifier: QuoteVerifier = {
  name: "@phala/dcap-qvl",
  limit: () => undefined,
  async ask({ quote, collateral, seconds, root }) {
    const { QuoteVerifier: Verifier } = await import("@phala/dcap-qvl");
    return opinion(() => new Verifier(Buffer.from(root)).verify(Buffer.from(quote), { ...collateral }, seconds));
  },
};

const wasmVerifier: QuoteVerifier = {
  name: "@phala/dcap-qvl-web",
  limit({ version, isIntelRoot }) {
    if (version !== 4) return `it reads no quotes of version ${version}`;
    return isIntelRoot ? undefined : "it knows no root but Intel's";
  },
  async ask({ quote, collateral, seconds }) {
    const { js_verify } = await loadWasm();
    return opinion(() => js_verify(quote, { ...collateral }, BigInt(Math.floor(seconds))));
  },
};

export const quoteVerifiers: readonly QuoteVerifier[] = [javascriptVerifier, wasmVerifier];

const answerSchema = z.object({ status: z.enum(tcbStatuses), advisory_ids: z.array(z.string()) });

function opinion(verify: () => unknown): Opinion {
  try {
    const { status, advisory_ids } = answerSchema.parse(verify());
    return { tcb: { status, advisories: advisory_ids } };
  } catch (error) {
    return { fault: (error instanceof Error ? error.message : String(error)).slice(0, maxFaultLength) };
  }
}

const maxFaultLength = 200;

type Wasm = Pick<typeof dcapQvlWeb, "js_verify">;
let wasm: Promise<Wasm> | undefined;

/** Compiled once: 1 MB. */
async function loadWasm(): Promise<Wasm> {
  wasm ??= (async () => {
    const library = await import("@phala/dcap-qvl-web");
    const file = fileURLToPath(import.meta.resolve("@phala/dcap-qvl-web/dcap-qvl-web_bg.wasm"));
    await library.default({ module_or_path: await readFile(file) });
    return library;
  })();
  return wasm;
}
