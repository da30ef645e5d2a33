/** What a verifier needs beside a quote, freshly signed: firmware statements and revocation lists. */
import type { Collateral } from "../../../../shared/attestation/collateral.ts";
import type { Holder } from "./authority.ts";
import type { PkiMaterial } from "./material.ts";
import { signRaw } from "./quoting-enclave.ts";
import { createRevocationList } from "./revocation-list.ts";
import { platformFmspc, qeIdentity, tcbInfo, type TcbOptions } from "./tcb-texts.ts";

export type Revocable = "platformCa" | "tcbSigning" | "pck";

/**
 * For collateral that has expired, give a `now` of long ago. Of another issuer is what another PKI makes; parts of two
 * can be put together as one likes.
 */
export interface CollateralOptions extends Partial<TcbOptions> {
  /** Milliseconds since 1970: when everything was signed. */
  readonly now: number;
  /** What the lists name as revoked. */
  readonly revoked?: readonly Revocable[];
  /** Whose list stands for the platform's; `processor` is a wrong one, well signed. */
  readonly pckCrlOf?: "platform" | "processor";
}

const dayMs = 86_400_000;
/** As Intel's. */
const validMs = 30 * dayMs;

export async function createCollateral(material: PkiMaterial, options: CollateralOptions): Promise<Collateral> {
  const { root, platformCa, processorCa, tcbSigning, pck } = material;
  const { now, revoked = [], pckCrlOf = "platform" } = options;
  const tcb: TcbOptions = { ...upToDate, ...options };
  const info = signedText(tcbSigning, tcbInfo(tcb));
  const identity = signedText(tcbSigning, qeIdentity(tcb));
  const holders = { platformCa, tcbSigning, pck };
  const revokedOf = (names: readonly Revocable[]): Holder[] =>
    names.filter((name) => revoked.includes(name)).map((name) => holders[name]);
  const dates = { now, validMs: tcb.validMs };
  const rootCrl = await createRevocationList(root, { ...dates, revoked: revokedOf(["platformCa", "tcbSigning"]) });
  const pckIssuer = pckCrlOf === "platform" ? platformCa : processorCa;
  const pckCrl = await createRevocationList(pckIssuer, { ...dates, revoked: revokedOf(["pck"]) });
  return {
    pck_crl_issuer_chain: pemChain(pckIssuer, root),
    root_ca_crl: rootCrl.toString("hex"),
    pck_crl: pckCrl.toString("hex"),
    tcb_info_issuer_chain: pemChain(tcbSigning, root),
    tcb_info: info.text,
    tcb_info_signature: info.signature,
    qe_identity_issuer_chain: pemChain(tcbSigning, root),
    qe_identity: identity.text,
    qe_identity_signature: identity.signature,
  };
}

const upToDate: Omit<TcbOptions, "now"> = {
  validMs,
  status: "UpToDate",
  qeStatus: "UpToDate",
  moduleStatus: "UpToDate",
  advisories: ["INTEL-SA-00000"],
  fmspc: platformFmspc,
};

function signedText(signer: Holder, document: object): { text: string; signature: string } {
  const text = JSON.stringify(document);
  return { text, signature: signRaw(signer.key, Buffer.from(text)).toString("hex") };
}

function pemChain(...holders: readonly Holder[]): string {
  return holders.map(({ certificate }) => `${certificate.toString("pem")}\n`).join("");
}
