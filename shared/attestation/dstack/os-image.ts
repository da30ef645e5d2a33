/**
 * What the registers must hold for an operating system's image, computed without the image ("lite", dstack OS from 0.6,
 * dstack-mr tdx.rs): the evidence carries the image's list of checksums, whose SHA-256 is the image's name, and a document
 * of that list with the digests that firmware and boot loader extend.
 *
 *   MRTD    as the document has it, for the two ways in which QEMU adds pages
 *   RTMR1   kernel (Authenticode), then four events that are the same for every image
 *   RTMR2   command line, initrd
 *
 * RTMR0 depends on memory and devices of the machine and is left to the event log.
 */
import { z } from "zod";
import { toHex } from "../../hex.ts";
import { parseCbor, type CborValue } from "./cbor.ts";
import { extendRegister, sha384 } from "./event-log.ts";
import { fromBase64 } from "../dcap/pem.ts";
import { parseJson } from "../../parse-json.ts";
import { rejected } from "../rejected.ts";

export interface OsImage {
  /** SHA-256 of its list of checksums, hex. */
  readonly hash: string;
  /** Any of these, hex. */
  readonly mrtd: readonly string[];
  readonly rtmr1: string;
  readonly rtmr2: string;
}

const documentName = "measurement.tdx.cbor";
/** QEMU writes the place of the initrd into the kernel, which is measured: from here on, and at 2 GiB, it is the same. */
const fixedPlacementBytes = 0xb000_0000;
const fixedPlacementCompatBytes = 0x8000_0000;

/** Events of OVMF's boot of any kernel: what is hashed (TCG PC Client Platform Firmware Profile, §3.3.4 and after). */
const bootEvents = [
  new TextEncoder().encode("Calling EFI Application from Boot Option"),
  new Uint8Array(4), // separator
  new TextEncoder().encode("Exit Boot Services Invocation"),
  new TextEncoder().encode("Exit Boot Services Returned with Success"),
];

/**
 * From `vm_config`, JSON text. Undefined where there is nothing to compute from; throws `evidence-rejected` for a document
 * that contradicts itself.
 */
export async function computeOsImage(vmConfig: string | undefined): Promise<OsImage | undefined> {
  const config = vmConfigSchema.safeParse(parseJson(vmConfig));
  if (!config.success) return undefined;
  const { tdx_measurement, memory_size, os_image_hash } = config.data;
  if (memory_size < fixedPlacementBytes && memory_size !== fixedPlacementCompatBytes) return undefined;
  const checksums = fromBase64(tdx_measurement.checksum_file);
  const document = fromBase64(tdx_measurement.measurement);
  if (!checksums || !document) throw rejected("The operating system's measurement is not in base64.");

  const hash = await sha256(checksums);
  if (os_image_hash !== undefined && hash !== os_image_hash)
    throw rejected(`The operating system's checksums hash to ${hash}, not to ${os_image_hash} as it says.`);
  if (findChecksum(new TextDecoder().decode(checksums)) !== (await sha256(document)))
    throw rejected("The operating system's measurement is not the one in its checksums.");
  const measured = parseCbor(document);
  const image = (name: string) => digestAt(measured, "image", name);
  const mrtd = (name: string) => toHex(digestAt(measured, "tdvf", "mrtd", name));
  const boot = await Promise.all(bootEvents.map(sha384));
  return {
    hash,
    mrtd: [mrtd("single_pass"), mrtd("two_pass")],
    rtmr1: await extendRegister([image("kernel_authenticode"), ...boot]),
    rtmr2: await extendRegister([image("cmdline_sha384"), image("initrd_sha384")]),
  };
}

const vmConfigSchema = z.object({
  os_image_hash: z.string().optional(),
  memory_size: z.int(),
  tdx_measurement: z.object({ checksum_file: z.string(), measurement: z.string() }),
});

/** A digest at this place of the document: 48 bytes. */
function digestAt(document: CborValue, ...path: readonly string[]): Uint8Array<ArrayBuffer> {
  let value: CborValue | undefined = document;
  for (const name of path)
    value = typeof value === "object" && !(value instanceof Uint8Array) ? value[name] : undefined;
  if (!(value instanceof Uint8Array) || value.length !== digestBytes)
    throw rejected(`The operating system's measurement lacks ${path.join(".")}.`);
  return value;
}

const digestBytes = 48;

/** Of the one line `<sha256>  measurement.tdx.cbor`, as sha256sum writes it. */
function findChecksum(text: string): string | undefined {
  const lines = text.split("\n").filter((line) => line.slice(64).trim() === documentName);
  return lines.length === 1 ? lines[0]?.slice(0, 64) : undefined;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
