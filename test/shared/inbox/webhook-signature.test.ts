import { describe, expect, it } from "vitest";
import {
  isSignedBy,
  isTimely,
  parseWebhookSecret,
  signWebhook,
  webhookToleranceMs,
} from "../../../shared/inbox/webhook-signature.ts";

const text = (value: string) => Uint8Array.from(Buffer.from(value));
/** The example of the specification's reference libraries. */
const secret = parseWebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") ?? text("");
const webhook = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: "1614265330", body: text('{"test": 2432232314}') };
const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

describe("a Standard Webhook", () => {
  it("is signed as the specification's libraries do", async () => {
    expect(await signWebhook(secret, webhook)).toBe(signature);
    expect(await isSignedBy(secret, webhook, signature)).toBe(true);
  });

  it("is believed by any of several signatures", async () => {
    expect(await isSignedBy(secret, webhook, `v1a,abc v1,AAAA ${signature}`)).toBe(true);
  });

  it.each([
    ["", "no signature"],
    ["v1,", "an empty one"],
    ["v1,%%%", "no base64"],
    [signature.replace("v1,", "v2,"), "another version"],
    [signature.replace("g0", "h0"), "another signature"],
    [`${"v1,AAAA ".repeat(8)}${signature}`, "one behind too many"],
  ])("is not believed with %j: %s", async (signatures) => {
    expect(await isSignedBy(secret, webhook, signatures)).toBe(false);
  });

  it("is not believed when id, time or body are others", async () => {
    for (const other of [{ id: "msg_2" }, { timestamp: "1614265331" }, { body: text("{}") }])
      expect(await isSignedBy(secret, { ...webhook, ...other }, signature)).toBe(false);
  });

  it("is timely for five minutes, before and after", () => {
    const now = 1_614_265_330_000;
    for (const offset of [0, webhookToleranceMs, -webhookToleranceMs])
      expect(isTimely(webhook.timestamp, now + offset)).toBe(true);
    for (const offset of [webhookToleranceMs + 1, -webhookToleranceMs - 1])
      expect(isTimely(webhook.timestamp, now + offset)).toBe(false);
    for (const timestamp of ["", "now", "-1", "1e9", "1614265330.5"]) expect(isTimely(timestamp, now)).toBe(false);
  });

  it.each(["", "whsec_", "whsec_AAAA", `whsec_${"A".repeat(100)}`, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%"])(
    "has no secret %j",
    (wrong) => expect(parseWebhookSecret(wrong)).toBeUndefined(),
  );
});
