/**
 * The operating system that the simulated machine has booted. It does not exist: its parts are the digests of their
 * names. They are measured as dstack's are, so that what checks a system without its image can be tried.
 */
import { createHash } from "node:crypto";
import { encodeCbor } from "./cbor.ts";
import { sha384, type MeasuredEvent } from "./events.ts";
import type { Generation } from "./generation.ts";

export interface OsImage {
  readonly mrtd: Buffer;
  /** SHA-256 of the list of checksums. */
  readonly hash: Buffer;
  readonly bootEvents: readonly MeasuredEvent[];
  /** What of `vm_config` a check without the image needs. */
  readonly measurement: { readonly measurement: string; readonly checksum_file: string };
}

/** Event types of UEFI (TCG PC Client Platform Firmware Profile, table 27). */
const types = {
  separator: 0x04,
  tag: 0x06,
  platformConfig: 0x0a,
  variable: 0x8000_0001,
  boot: 0x8000_0002,
  application: 0x8000_0003,
  action: 0x8000_0007,
  blob: 0x8000_000a,
  handoff: 0x8000_000b,
} as const;

export function osImageOf(generation: Generation): OsImage {
  const part = (name: string): Buffer => sha384(`SIMULATOR NOT INTEL: ${name} of dstack ${generation}`);
  const mrtd = part("firmware");
  const kernel = part("kernel");
  const cmdline = part("command line");
  const initrd = part("initial RAM disk");
  const measurement = encodeCbor({
    version: 3,
    image: { cmdline_sha384: cmdline, kernel_authenticode: kernel, initrd_sha384: initrd },
    tdvf: {
      ovmf: "pre202505",
      mrtd: { single_pass: part("firmware, in one pass"), two_pass: mrtd },
      td_hob: Buffer.alloc(12),
    },
  });
  const checksums = Buffer.from(`${sha256(measurement).toString("hex")}  measurement.tdx.cbor\n`);
  return {
    mrtd,
    hash: sha256(checksums),
    bootEvents: [
      event(0, types.handoff, part("hand-off blocks")),
      event(0, types.blob, part("firmware configuration")),
      ...["SecureBoot", "PK", "KEK", "db", "dbx"].map((name) => event(0, types.variable, part(name))),
      separator(0),
      ...["acpi-loader", "acpi-rsdp", "acpi-tables"].map((name) =>
        event(0, types.platformConfig, part(name), name, "ACPI DATA"),
      ),
      event(0, types.boot, part("boot order")),
      event(1, types.application, kernel),
      action("Calling EFI Application from Boot Option"),
      separator(1),
      event(2, types.tag, cmdline),
      event(2, types.tag, initrd),
      action("Exit Boot Services Invocation"),
      action("Exit Boot Services Returned with Success"),
    ],
    measurement: { measurement: measurement.toString("base64"), checksum_file: checksums.toString("base64") },
  };
}

function event(imr: MeasuredEvent["imr"], type: number, digest: Buffer, name = "", payload = ""): MeasuredEvent {
  return { imr, type, digest, name, payload: Buffer.from(payload), version: 1 };
}

function separator(imr: MeasuredEvent["imr"]): MeasuredEvent {
  const zeros = Buffer.alloc(4);
  return { imr, type: types.separator, digest: sha384(zeros), name: "", payload: zeros, version: 1 };
}

function action(text: string): MeasuredEvent {
  return event(1, types.action, sha384(text), "", text);
}

function sha256(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}
