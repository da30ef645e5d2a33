/** A stand-in for who receives Standard Webhooks: it checks each signature by the specification, on its own. */
import { createHmac } from "node:crypto";
import type { Faults } from "./faults.ts";
import { startFaultyServer } from "./faulty-server.ts";

export interface Delivery {
  readonly id: string;
  readonly authentic: boolean;
  readonly body: { readonly type: string; readonly timestamp: string; readonly data: Record<string, unknown> };
}

export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  readonly secret: string;
  readonly deliveries: Delivery[];
  readonly faults: Faults;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const key = Buffer.alloc(32, 9);
  const deliveries: Delivery[] = [];
  const server = await startFaultyServer({
    handle: ({ headers, body }) => {
      const [id, timestamp] = [String(headers["webhook-id"]), String(headers["webhook-timestamp"])];
      const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body.toString()}`).digest("base64");
      const authentic =
        String(headers["webhook-signature"]).split(" ").includes(`v1,${signature}`) &&
        Math.abs(Number(timestamp) * 1_000 - Date.now()) < 300_000;
      deliveries.push({ id, authentic, body: JSON.parse(body.toString()) as Delivery["body"] });
      return { status: 204, headers: {}, body: "" };
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/alerts`,
    secret: `whsec_${key.toString("base64")}`,
    deliveries,
    faults: server.faults,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
