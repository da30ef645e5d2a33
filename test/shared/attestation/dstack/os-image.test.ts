import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { attempt } from "../../../../shared/attestation/attempt.ts";
import { computeOsImage } from "../../../../shared/attestation/dstack/os-image.ts";
import { sha384 } from "../../../tee-bot/attestation/support/synthetic-app.ts";

const digests = {
  cmdline: sha384(Buffer.from("command line")),
  kernel: sha384(Buffer.from("kernel")),
  initrd: sha384(Buffer.from("initrd")),
  single: sha384(Buffer.from("one pass")),
  double: sha384(Buffer.from("two passes")),
};

/** CBOR of the smallest kind: RFC 8949 §3. */
const head = (type: number, value: number): Buffer =>
  value < 24 ? Buffer.from([(type << 5) | value]) : Buffer.from([(type << 5) | 24, value]);
const bytes = (value: Buffer): Buffer => Buffer.concat([head(2, value.length), value]);
const map = (members: Readonly<Record<string, Buffer>>): Buffer =>
  Buffer.concat([
    head(5, Object.keys(members).length),
    ...Object.entries(members).flatMap(([key, value]) => [head(3, key.length), Buffer.from(key), value]),
  ]);

const document = map({
  version: head(0, 3),
  image: map({
    cmdline_sha384: bytes(digests.cmdline),
    kernel_authenticode: bytes(digests.kernel),
    initrd_sha384: bytes(digests.initrd),
  }),
  tdvf: map({ mrtd: map({ single_pass: bytes(digests.single), two_pass: bytes(digests.double) }) }),
});

const sha256 = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");
const extended = (...parts: readonly Buffer[]): string => {
  let register = Buffer.alloc(48);
  for (const part of parts) register = sha384(Buffer.concat([register, part]));
  return register.toString("hex");
};

interface Parts {
  readonly measurement?: Buffer;
  readonly checksums?: string;
  readonly memory?: number;
  readonly hash?: string;
}

function vmConfig({ measurement = document, checksums, memory = 2 ** 32, hash }: Parts = {}): string {
  const list = checksums ?? `${"0".repeat(64)}  kernel\n${sha256(measurement)}  measurement.tdx.cbor\n`;
  return JSON.stringify({
    os_image_hash: hash ?? sha256(list),
    memory_size: memory,
    tdx_measurement: {
      checksum_file: Buffer.from(list).toString("base64"),
      measurement: measurement.toString("base64"),
    },
  });
}

const refusal = async (parts: Parts): Promise<string | undefined> =>
  (await attempt(() => computeOsImage(vmConfig(parts)))).fault;

describe("the registers of an operating system", () => {
  it("are computed from its measurement, without the image", async () => {
    const separator = Buffer.alloc(4);
    const boot = [
      Buffer.from("Calling EFI Application from Boot Option"),
      separator,
      Buffer.from("Exit Boot Services Invocation"),
      Buffer.from("Exit Boot Services Returned with Success"),
    ].map(sha384);
    const image = await computeOsImage(vmConfig());
    expect(image?.mrtd).toEqual([digests.single.toString("hex"), digests.double.toString("hex")]);
    expect(image?.rtmr1).toBe(extended(digests.kernel, ...boot));
    expect(image?.rtmr2).toBe(extended(digests.cmdline, digests.initrd));
    expect(image?.hash).toBe(
      sha256(Buffer.from(`${"0".repeat(64)}  kernel\n${sha256(document)}  measurement.tdx.cbor\n`)),
    );
  });

  it.each([
    ["2 GiB", 2 ** 31, true],
    ["a byte less", 2 ** 31 - 1, false],
    ["just below 2.75 GiB", 0xb000_0000 - 1, false],
    ["2.75 GiB", 0xb000_0000, true],
  ])("are known with %s of memory, or not", async (_, memory, known) => {
    expect((await computeOsImage(vmConfig({ memory }))) !== undefined).toBe(known);
  });

  it.each([undefined, "", "{", "{}", '{"memory_size":4294967296}'])("are not known from %j", async (config) => {
    expect(await computeOsImage(config)).toBeUndefined();
  });

  it.each<[string, Parts, RegExp]>([
    ["checksums of another image", { hash: "0".repeat(64) }, /hash to/],
    [
      "a measurement that is not in the checksums",
      { checksums: `${"0".repeat(64)}  measurement.tdx.cbor\n` },
      /not the one/,
    ],
    ["no checksum of the measurement", { checksums: "\n" }, /not the one/],
    ["two checksums of it", { checksums: `${sha256(document)}  measurement.tdx.cbor\n`.repeat(2) }, /not the one/],
    ["a measurement without a digest", { measurement: map({ version: head(0, 3) }) }, /lacks tdvf\.mrtd|lacks image/],
    ["a measurement that is cut off", { measurement: document.subarray(0, -1) }, /cut off/],
    ["bytes after the measurement", { measurement: Buffer.concat([document, Buffer.from([0])]) }, /do not belong/],
  ])("are refused with %s", async (_, parts, sentence) => {
    expect(await refusal(parts)).toMatch(sentence);
  });
});
