/**
 * The extension by which a PCK certificate describes its platform: OID 1.2.840.113741.1.13.1, a SEQUENCE of pairs of an
 * OID and a value (Intel SGX PCK Certificate and CRL Profile Specification §1.3.5).
 */
import { Extension } from "@peculiar/x509";
import { derEnumerated, derInteger, derOctets, derOid, derSequence } from "./der.ts";

export interface PckPlatform {
  /** 16 bytes: the serial number of the processor package, so to speak. */
  readonly ppid: Uint8Array;
  /** 16 component versions. */
  readonly cpuSvn: Uint8Array;
  readonly pceSvn: number;
  readonly pceId: Uint8Array;
  readonly fmspc: Uint8Array;
  readonly platformInstanceId: Uint8Array;
}

const sgxExtensionOid = "1.2.840.113741.1.13.1";
const sgxExtensionArcs = [0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01];
const pceSvnArc = 17;
const cpuSvnArc = 18;
/** A platform of several packages, whose certificates come from the Platform CA. */
const scalable = 1;

export function pckExtension({ ppid, cpuSvn, pceSvn, pceId, fmspc, platformInstanceId }: PckPlatform): Extension {
  const versions = [...cpuSvn].map((svn, index) => pair([2, index + 1], derInteger(svn)));
  const tcb = [...versions, pair([2, pceSvnArc], derInteger(pceSvn)), pair([2, cpuSvnArc], derOctets(cpuSvn))];
  const value = derSequence([
    pair([1], derOctets(ppid)),
    pair([2], derSequence(tcb)),
    pair([3], derOctets(pceId)),
    pair([4], derOctets(fmspc)),
    pair([5], derEnumerated(scalable)),
    pair([6], derOctets(platformInstanceId)),
  ]);
  return new Extension(sgxExtensionOid, false, value);
}

function pair(arcs: readonly number[], value: Uint8Array): Buffer {
  return derSequence([derOid([...sgxExtensionArcs, ...arcs]), value]);
}
