/**
 * A root of trust like Intel's for SGX and TDX, which everybody can make for themselves and nobody may believe: it signs
 * quotes and the collateral to them, so that all of a verification runs where there is no hardware. Every simulator has
 * keys of its own; none is compiled in, so there is no root that a verifier could come to trust by accident.
 *
 * Of the two quote verifiers, `@phala/dcap-qvl` takes a root, `@phala/dcap-qvl-web` knows Intel's alone: under a
 * simulator's root there is only one opinion.
 */
import type { Collateral } from "../../../shared/attestation/collateral.ts";
import { createCollateral, type CollateralOptions } from "./pki/collateral.ts";
import { createMaterial, type PkiMaterial } from "./pki/material.ts";
import { readOrCreateMaterial } from "./pki/material-file.ts";
import { QuotingEnclave, type QuoteOptions, type SgxQuoteOptions } from "./pki/quoting-enclave.ts";

export interface SimulatorPki {
  /** DER of the root certificate, as a verifier takes it that was told to believe a simulator. */
  readonly root: Uint8Array<ArrayBuffer>;
  readonly rootPem: string;
  readonly material: PkiMaterial;
  /** A TDX quote of version 4, in about 1 ms. */
  signQuote(options: QuoteOptions): Uint8Array<ArrayBuffer>;
  /** An SGX quote of version 3: what a verifier of TDX has to refuse. */
  signSgxQuote(options: SgxQuoteOptions): Uint8Array<ArrayBuffer>;
  /** What goes with the quotes, signed now; its faults are asked for. */
  createCollateral(options: CollateralOptions): Promise<Collateral>;
}

/** `now` in milliseconds since 1970: certificates are valid from a year before, so that tests can look back. */
export async function createSimulatorPki({ now }: { readonly now: number }): Promise<SimulatorPki> {
  return pkiOf(await createMaterial(now));
}

/** The one kept in `directory`, made there at the first call; keys are readable by their owner only. */
export async function openSimulatorPki(directory: string, now: number): Promise<SimulatorPki> {
  return pkiOf(await readOrCreateMaterial(directory, now));
}

function pkiOf(material: PkiMaterial): SimulatorPki {
  const enclave = new QuotingEnclave(material);
  return {
    root: new Uint8Array(material.root.certificate.rawData),
    rootPem: `${material.root.certificate.toString("pem")}\n`,
    material,
    signQuote: (options) => enclave.signQuote(options),
    signSgxQuote: (options) => enclave.signSgxQuote(options),
    createCollateral: (options) => createCollateral(material, options),
  };
}
