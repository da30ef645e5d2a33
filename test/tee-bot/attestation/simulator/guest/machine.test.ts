import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Generation } from "../../../../../tee-bot/attestation/simulator/guest/generation.ts";
import { Machine } from "../../../../../tee-bot/attestation/simulator/guest/machine.ts";

const digest = (algorithm: string, data: string | Uint8Array): Buffer => createHash(algorithm).update(data).digest();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const machineOf = (generation: Generation, compose = '{ "name": "café" }\n'): Machine =>
  new Machine({
    generation,
    compose,
    eventVersion: 1,
    keyProviderSpki: Buffer.from("spki"),
    instanceSeed: Buffer.alloc(32, 1),
  });

interface LoggedEvent {
  imr: number;
  event_type: number;
  digest: string;
  event: string;
  event_payload: string;
}
const logOf = (machine: Machine): LoggedEvent[] => JSON.parse(machine.eventLog) as LoggedEvent[];

describe.each(["0.5", "0.6"] as const)("a machine of generation %s", (generation) => {
  it("has measured the text of the application as it stands, and says who it is before it is ready", () => {
    const machine = machineOf(generation);
    const runtime = logOf(machine).filter(({ imr }) => imr === 3);
    expect(runtime.map(({ event }) => event)).toEqual([
      "system-preparing",
      "app-id",
      "compose-hash",
      "instance-id",
      "boot-mr-done",
      "os-image-hash",
      "key-provider",
      "storage-fs",
      "system-ready",
    ]);
    const payload = (name: string): string => runtime.find(({ event }) => event === name)?.event_payload ?? "";
    expect(payload("compose-hash")).toBe(hex(digest("sha256", '{ "name": "café" }\n')));
    expect(payload("app-id")).toBe(payload("compose-hash").slice(0, 40));
    expect(Buffer.from(payload("key-provider"), "hex").toString()).toBe('{"name":"kms","id":"73706b69"}');
    const { os_image_hash } = JSON.parse(machine.vmConfig) as { os_image_hash: string };
    expect(payload("os-image-hash")).toBe(os_image_hash);
  });

  it("has registers to which its log replays, also with digests recomputed", () => {
    const machine = machineOf(generation);
    machine.emit("later", Buffer.of(1, 2, 3));
    const { rtmr } = machine.measurements;
    for (const imr of [0, 1, 2, 3] as const) {
      let value: Uint8Array = Buffer.alloc(48);
      for (const event of logOf(machine).filter((one) => one.imr === imr)) {
        const recomputed =
          event.event_type === 0x0800_0001
            ? digest(
                "sha384",
                Buffer.concat([
                  Buffer.of(1, 0, 0, 8),
                  Buffer.from(`:${event.event}:`),
                  Buffer.from(event.event_payload, "hex"),
                ]),
              )
            : Buffer.from(event.digest, "hex");
        value = digest("sha384", Buffer.concat([value, recomputed]));
      }
      expect(hex(value)).toBe(hex(rtmr[imr]));
    }
  });

  it("is another one with another text, and the same one with the same", () => {
    const [one, same, other] = [machineOf(generation), machineOf(generation), machineOf(generation, "{}")];
    expect(hex(same.measurements.rtmr[3])).toBe(hex(one.measurements.rtmr[3]));
    expect(hex(other.measurements.rtmr[3])).not.toBe(hex(one.measurements.rtmr[3]));
    expect(hex(other.instanceId)).not.toBe(hex(one.instanceId));
  });
});

describe("a machine of generation 0.6", () => {
  it("brings what its system was measured of, so that it can be checked without the image", () => {
    const machine = machineOf("0.6");
    const config = JSON.parse(machine.vmConfig) as {
      os_image_hash: string;
      tdx_measurement: { checksum_file: string; measurement: string };
    };
    const { checksum_file, measurement } = config.tdx_measurement;
    const checksums = Buffer.from(checksum_file, "base64");
    const measured = Buffer.from(measurement, "base64");
    expect(config.os_image_hash).toBe(hex(digest("sha256", checksums)));
    expect(checksums.toString()).toBe(`${hex(digest("sha256", measured))}  measurement.tdx.cbor\n`);
    // RTMR2 is the command line and the initial RAM disk, whose digests stand in the measurement.
    const events = logOf(machine).filter(({ imr }) => imr === 2);
    for (const event of events) expect(measured.includes(Buffer.from(event.digest, "hex"))).toBe(true);
    expect(measured.includes(Buffer.from(machine.measurements.mrtd))).toBe(true);
    expect(measured.subarray(0, 10).toString("hex")).toBe("a36776657273696f6e03"); // a map of three: version 3, …
  });

  it("has the hash of the application in MRCONFIGID, and 0.5 has nothing there", () => {
    const machine = machineOf("0.6");
    expect(hex(machine.measurements.mrConfigId)).toBe(`01${hex(machine.composeHash)}${"00".repeat(15)}`);
    expect(hex(machineOf("0.5").measurements.mrConfigId)).toBe("00".repeat(48));
  });
});
