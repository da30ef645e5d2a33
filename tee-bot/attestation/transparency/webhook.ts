/** Delivery of one alert as a Standard Webhook (github.com/standard-webhooks/standard-webhooks, spec 1.0.0). */
import { createHmac } from "node:crypto";
import { AppError } from "../../../shared/errors.ts";
import { isLoopbackUrl } from "../../../shared/loopback.ts";
import { version } from "../../../shared/version.ts";
import type { Alert } from "./alert.ts";

/** The specification's "15-30 s". */
export const deliveryTimeoutMs = 20_000;
/** The secret is no flag: those stand in lists of processes and histories of shells. */
export const webhookSecretVariable = "POSTERN_WEBHOOK_SECRET";
const secretPrefix = "whsec_";
/** The specification's 24 to 64 bytes. */
const minSecretBytes = 24;
const maxSecretBytes = 64;

export interface Webhook {
  readonly url: URL;
  readonly secret: Buffer;
}

/** Throws `bad-request` with what is wrong; the secret is never part of it. */
export function parseWebhook(url: string, secret: string | undefined): Webhook {
  const parsed = URL.parse(url);
  if (!parsed || (parsed.protocol !== "https:" && !(parsed.protocol === "http:" && isLoopbackUrl(parsed))))
    throw new AppError("bad-request", "A webhook is an https:// URL; http:// is for this machine only.");
  if (secret === undefined)
    throw new AppError(
      "bad-request",
      `The webhook's secret is missing: put it into ${webhookSecretVariable}. It signs what is sent, so that it can be believed.`,
    );
  const bytes = Buffer.from(secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : "", "base64");
  if (bytes.length < minSecretBytes || bytes.length > maxSecretBytes)
    throw new AppError(
      "bad-request",
      `The webhook's secret is not of the form ${secretPrefix}<base64 of ${minSecretBytes} to ${maxSecretBytes} bytes>.`,
    );
  return { url: parsed, secret: bytes };
}

/** The headers of one try. */
export function signDelivery(
  { secret }: Webhook,
  id: string,
  now: number,
  body: string,
): Readonly<Record<`webhook-${string}`, string>> {
  const timestamp = String(Math.floor(now / 1_000));
  const signature = createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}

/** Throws when it was not taken; a receiver takes by any 2xx. */
export async function deliver(
  webhook: Webhook,
  alert: Alert,
  { fetch, now, signal }: { fetch: typeof globalThis.fetch; now: number; signal: AbortSignal },
): Promise<void> {
  const body = JSON.stringify({ type: alert.type, timestamp: new Date(alert.at).toISOString(), data: alert.data });
  const response = await fetch(webhook.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": `postern-watch/${version}`,
      ...signDelivery(webhook, alert.id, now, body),
    },
    body,
    redirect: "error",
    signal: AbortSignal.any([signal, AbortSignal.timeout(deliveryTimeoutMs)]),
  });
  await response.body?.cancel();
  if (!response.ok) throw new AppError("upstream-unavailable", `The webhook was answered with ${response.status}.`);
}
