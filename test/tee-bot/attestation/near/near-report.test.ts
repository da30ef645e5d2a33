import { describe, expect, it } from "vitest";
import { parseNearReport } from "../../../../tee-bot/attestation/near/near-report.ts";
import { nearReportData } from "../../../../tee-bot/attestation/near/report-data.ts";

const entry = {
  signing_address: `0x${"Ab".repeat(20)}`,
  signing_algo: "ECDSA",
  signing_public_key: "cd".repeat(64),
  intel_quote: "0400",
  event_log: "[]",
  info: { tcb_info: '{"app_compose":"{}"}', vm_config: "{}" },
};
const parseOne = (changes: object) =>
  parseNearReport({ gateway_attestation: entry, model_attestations: [{ ...entry, ...changes }] })?.models[0];

describe("a report of NEAR", () => {
  it("is read in lower case and without 0x", () => {
    expect(parseOne({})).toEqual({
      key: { algorithm: "ecdsa", address: "ab".repeat(20) },
      publicKey: "cd".repeat(64),
      fingerprint: undefined,
      model: undefined,
      gpu: undefined,
      quote: { quote: "0400", event_log: "[]", app_compose: "{}", vm_config: "{}" },
    });
  });

  it("may have the guest agent's JSON as text or parsed", () => {
    const parsed = parseOne({ info: { tcb_info: { app_compose: "{}" } }, event_log: [{ imr: 3 }] });
    expect(parsed).toMatchObject({ quote: { app_compose: "{}", event_log: '[{"imr":3}]' } });
  });

  it("may keep the compose text to itself", () => {
    for (const info of [undefined, null, {}, { tcb_info: "{}" }, { tcb_info: "not JSON" }, { tcb_info: 7 }])
      expect(parseOne({ info })).toMatchObject({ quote: { quote: "0400", app_compose: undefined } });
  });

  it.each([
    ["signing_address", "not hex"],
    ["signing_address", undefined],
    ["signing_algo", "rsa"],
    ["intel_quote", ""],
    ["intel_quote", "0".repeat(200_001)],
    ["intel_quote", undefined],
    ["event_log", 7],
    ["signing_public_key", "xyz"],
    ["nvidia_payload", {}],
  ])("says which field is wrong: %s", (field, value) => {
    expect(parseOne({ [field]: value })).toEqual({
      unreadable: `Its ${field} is missing or not what it should be.`,
    });
  });

  it("is none when it is of another form, and has no end of machines", () => {
    for (const value of [undefined, null, "", 7, [], { model_attestations: {} }])
      expect(parseNearReport(value)).toBeUndefined();
    expect(parseNearReport({ model_attestations: Array.from({ length: 65 }, () => entry) })).toBeUndefined();
    expect(parseNearReport({})).toEqual({ gateway: { unreadable: "There is no evidence." }, models: [] });
  });
});

describe("the report data of NEAR", () => {
  const key = { algorithm: "ecdsa", address: "11".repeat(20) } as const;
  const nonce = Buffer.alloc(32, 3);

  it("is the address filled with zeros, and the nonce", () => {
    expect(nearReportData(key, undefined, nonce)).toEqual({
      key: "11".repeat(20) + "00".repeat(12),
      nonce: "03".repeat(32),
    });
  });

  it("is with a certificate the hash of address and fingerprint", () => {
    // printf '1111…(20)2222…(32)' | xxd -r -p | sha256sum
    expect(nearReportData(key, "22".repeat(32), nonce).key).toBe(
      "69a0ca60dbba7f43b685361479329b5d772a082288bd9e9275129960033b29ee",
    );
  });
});
