import { expect, it } from "vitest";
import { parseWebhook, signDelivery } from "../../../../tee-bot/attestation/transparency/webhook.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

it("a delivery is signed as the reference libraries of Standard Webhooks expect it", () => {
  const webhook = parseWebhook("https://hooks.example/x", secret);
  expect(signDelivery(webhook, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_500, '{"test": 2432232314}')).toEqual({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

it.each([
  ["http://hooks.example/x", secret],
  ["ftp://hooks.example/x", secret],
  ["hooks.example", secret],
  ["https://hooks.example/x", undefined],
  ["https://hooks.example/x", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  ["https://hooks.example/x", "whsec_c2hvcnQ="],
  ["https://hooks.example/x", `whsec_${Buffer.alloc(65).toString("base64")}`],
])("%s with the secret %s is refused, and the secret is not told", (url, text) => {
  const refused = (): unknown => parseWebhook(url, text);
  expect(refused).toThrow("bad-request");
  expect(refused).not.toThrow(text?.replace("whsec_", "") ?? "nothing of this kind");
});

it("this machine may be called without TLS", () => {
  expect(parseWebhook("http://127.0.0.1:9/x", secret).secret).toHaveLength(24);
});
