import { describe, expect, it } from "vitest";
import { runtimeEvent } from "../../../../../tee-bot/attestation/simulator/guest/events.ts";
import { encodeAttestation } from "../../../../../tee-bot/attestation/simulator/guest/scale.ts";

describe("an attestation of version 0", () => {
  it("has each part where a decoder of SCALE looks for it", () => {
    const event = runtimeEvent("app-id", Buffer.from("abcd", "hex"), 1);
    const reportData = Buffer.alloc(64, 9);
    const quote = Buffer.alloc(5_010, 7);
    const encoded = encodeAttestation({ quote, events: [event], reportData, config: "{}" }).toString("hex");
    const name = `18${Buffer.from("app-id").toString("hex")}`;
    expect(encoded).toBe(
      [
        "0000",
        "494e", // 5010 << 2 | 1, as in attestations of real machines
        "07".repeat(5_010),
        "04", // one event
        "03000000",
        "01000008",
        `c0${event.digest.toString("hex")}`,
        name,
        "08abcd",
        "04", // one of them of the running system
        name,
        "08abcd",
        "09".repeat(64),
        "087b7d",
      ].join(""),
    );
  });

  it("has long parts with lengths of four bytes", () => {
    const encoded = encodeAttestation({
      quote: Buffer.alloc(20_000),
      events: [],
      reportData: Buffer.alloc(64),
      config: "",
    });
    expect(encoded.readUInt32LE(2)).toBe(20_000 * 4 + 2);
    expect(encoded.length).toBe(2 + 4 + 20_000 + 1 + 1 + 64 + 1);
  });
});
