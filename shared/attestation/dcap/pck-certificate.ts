/**
 * What Intel says of one platform in the certificate of its provisioning key (Intel SGX PCK Certificate and CRL
 * Specification, §1.3.5): SEQUENCE OF { OID, value } below 1.2.840.113741.1.13.1.
 */
import { toHex } from "../../hex.ts";
import type { Certificate } from "./certificate.ts";
import { derChildren, derNumber, derOid, DerSequence, derTag, expectTag, readDer, type DerElement } from "./der.ts";
import { rejected } from "../rejected.ts";

export interface Platform {
  /** Its kind: family, model, stepping, platform type; hex. */
  readonly fmspc: string;
  readonly pceId: string;
  readonly cpuSvn: Uint8Array;
  readonly pceSvn: number;
  /** Who it is: the same in every quote of one machine; hex. */
  readonly ppid: string;
}

const sgx = "1.2.840.113741.1.13.1";

export function readPlatform({ extensions }: Certificate): Platform {
  const value = extensions.get(sgx);
  if (!value) throw rejected("The quote's chain does not begin with the certificate of a platform.");
  const members = readMembers(readDer(value, derTag.sequence));
  const tcb = readMembers(memberOf(members, `${sgx}.2`, derTag.sequence));
  return {
    fmspc: toHex(octets(members, `${sgx}.4`, 6)),
    pceId: toHex(octets(members, `${sgx}.3`, 2)),
    cpuSvn: octets(tcb, `${sgx}.2.18`, 16),
    pceSvn: derNumber(memberOf(tcb, `${sgx}.2.17`, derTag.integer)),
    ppid: toHex(octets(members, `${sgx}.1`, 16)),
  };
}

type Members = ReadonlyMap<string, DerElement>;

function readMembers(sequence: DerElement): Members {
  const members = new Map<string, DerElement>();
  for (const child of derChildren(sequence)) {
    const member = new DerSequence(child);
    const id = derOid(member.take(derTag.oid));
    if (members.has(id)) throw rejected("A platform's certificate says something twice.");
    members.set(id, member.any());
    member.end();
  }
  return members;
}

function memberOf(members: Members, id: string, tag: number): DerElement {
  const member = members.get(id);
  if (!member) throw rejected(`A platform's certificate does not say ${id}.`);
  return expectTag(member, tag);
}

function octets(members: Members, id: string, length: number): Uint8Array {
  const { content } = memberOf(members, id, derTag.octetString);
  if (content.length !== length) throw rejected(`A platform's certificate says ${id} with ${content.length} bytes.`);
  return content;
}
