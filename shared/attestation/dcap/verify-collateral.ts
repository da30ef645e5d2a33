/**
 * Intel's word on a platform, checked without a library: every document signed below the pinned root, for this very
 * platform, current at one named time, and nobody in it revoked. What passes here is Intel's own, so that those who read
 * it afterwards read nothing hostile.
 */
import { fromHex } from "../../hex.ts";
import { parseChain, sameBytes, verifyChain, type ChainRules } from "./certificate-chain.ts";
import { isSignedBy, type Certificate } from "./certificate.ts";
import type { Collateral } from "../collateral.ts";
import { verifyCrl } from "./crl.ts";
import { parseQeIdentity, type QeIdentity } from "./qe-identity.ts";
import { rejected } from "../rejected.ts";
import { parseTcbInfo, type TcbInfo } from "./tcb-info.ts";

export interface CollateralRules {
  /** DER. */
  readonly root: Uint8Array;
  readonly seconds: number;
  /** The quote's chain, already verified: platform, its CA, root. */
  readonly pckChain: readonly Certificate[];
  /** The kind of platform that the quote comes from. */
  readonly fmspc: string;
  readonly pceId: string;
}

export interface VerifiedCollateral {
  readonly tcbInfo: TcbInfo;
  readonly qeIdentity: QeIdentity;
  /** Until when all of it is current, seconds since 1970. */
  readonly until: number;
}

export async function verifyCollateral(collateral: Collateral, rules: CollateralRules): Promise<VerifiedCollateral> {
  const { root, seconds, pckChain } = rules;
  const [platform, platformCa, rootCertificate] = pckChain;
  if (!platform || !platformCa || !rootCertificate) throw rejected("The platform's chain is too short.");

  const rootCrl = await verifyCrl(bytesOf(collateral.root_ca_crl), {
    issuer: rootCertificate,
    seconds,
    what: "The root's revocation list",
  });
  const pckCrl = await verifyCrl(bytesOf(collateral.pck_crl), {
    issuer: platformCa,
    seconds,
    what: "The revocation list of platforms",
  });
  const crlChainName = "The chain of the revocation list of platforms";
  const crlChain = parseChain(collateral.pck_crl_issuer_chain, crlChainName);
  await verifyChain(crlChain, { root, seconds, length: 2, beginsWithAuthority: true, what: crlChainName });
  if (crlChain[0]?.subject !== platformCa.subject || !sameBytes(crlChain[0].publicKey, platformCa.publicKey))
    throw rejected("The revocation list of platforms comes with the chain of another issuer.");

  const chainRules = { root, seconds, length: 2 };
  const tcbSigner = await verifySigned(collateral.tcb_info, collateral.tcb_info_signature, {
    ...chainRules,
    chain: collateral.tcb_info_issuer_chain,
    name: "The TCB info",
  });
  const qeSigner = await verifySigned(collateral.qe_identity, collateral.qe_identity_signature, {
    ...chainRules,
    chain: collateral.qe_identity_issuer_chain,
    name: "The QE identity",
  });
  const tcbInfo = parseTcbInfo(collateral.tcb_info);
  const qeIdentity = parseQeIdentity(collateral.qe_identity);

  if (pckCrl.revoked.has(platform.serial)) throw rejected("Intel has revoked this platform's certificate.");
  for (const { serial } of [platformCa, tcbSigner, qeSigner])
    if (rootCrl.revoked.has(serial)) throw rejected("Intel has revoked a certificate in the middle of a chain.");
  for (const [name, { issueDate, nextUpdate }] of Object.entries({ "TCB info": tcbInfo, "QE identity": qeIdentity })) {
    if (seconds < issueDate) throw rejected(`The ${name} was not issued yet at this time.`);
    if (seconds > nextUpdate) throw rejected(`The ${name} has run out.`);
  }
  if (tcbInfo.fmspc !== rules.fmspc || tcbInfo.pceId !== rules.pceId)
    throw rejected(`The TCB info is for platforms ${tcbInfo.fmspc}, and the quote is from ${rules.fmspc}.`);
  const ends = [rootCrl.nextUpdate, pckCrl.nextUpdate, tcbInfo.nextUpdate, qeIdentity.nextUpdate];
  return { tcbInfo, qeIdentity, until: Math.min(...ends) };
}

interface SignedDocument extends Omit<ChainRules, "what"> {
  readonly chain: string;
  readonly name: string;
}

/** Who has signed the text. */
async function verifySigned(text: string, signatureHex: string, rules: SignedDocument): Promise<Certificate> {
  const what = `${rules.name}'s chain`;
  const chain = parseChain(rules.chain, what);
  await verifyChain(chain, { ...rules, what });
  const [signer] = chain;
  const signature = bytesOf(signatureHex);
  const signed = new TextEncoder().encode(text);
  if (!signer || !(await isSignedBy({ signed, signature }, signer.publicKey)))
    throw rejected(`${rules.name} is not signed by the certificate it comes with.`);
  return signer;
}

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = fromHex(hex);
  if (!bytes) throw rejected("The collateral has text where hexadecimal digits are due.");
  return bytes;
}
