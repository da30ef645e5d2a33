/**
 * With Universal SSL on, Cloudflare answers CAA questions for the zone with a set of its own that lets several CAs issue
 * without conditions, whatever records stand in the zone. Neither dashboard nor API shows it.
 */
import { z } from "zod";
import { CloudflareRefusal, type Cloudflare } from "./cloudflare.ts";
import type { Zone } from "./zone.ts";
import type { Questions } from "./questions.ts";

export const whyOff = `Universal SSL is on. With it Cloudflare answers CAA questions with records of its own, by which several CAs may
issue for every name in the zone; those of the edge, which bind issuance to its own account, are not seen. It
is of no use here either: TLS ends in the nodes. Turned off, websites of this zone that Cloudflare proxies
have no certificate any more, which is one reason for a dedicated zone.`;

const byHand = "By hand: SSL/TLS → Edge Certificates → Disable Universal SSL, in the dashboard of the zone.";

const settingsSchema = z.object({ enabled: z.boolean() });

/** What became of it, as a line for the operator. Never turns it off unless `wish` or the operator says so. */
export async function settleUniversalSsl(
  api: Cloudflare,
  { id }: Zone,
  { wish, questions, note }: { wish: "off" | "keep" | undefined; questions: Questions; note: (text: string) => void },
): Promise<string> {
  const path = `/zones/${id}/ssl/universal/settings`;
  const enabled = await allowed(api.call("GET", path, settingsSchema));
  if (enabled === undefined) {
    note(`The token may not read whether Universal SSL is off, which it has to be. ${byHand}
The edge looks at the CAA records from outside and reports it at its nodes, should it be on.`);
    return "not known: the token may not read it";
  }
  if (!enabled) return "off";
  note(whyOff);
  if (wish === "keep") return "left on, as told: CAA records of the edge are not seen";
  const agreed = wish === "off" || ((await questions.confirm("Turn Universal SSL of this zone off?", false)) ?? false);
  if (!agreed) {
    note(`Universal SSL stays on. --universal-ssl off turns it off. ${byHand}`);
    return "left on: CAA records of the edge are not seen";
  }
  if ((await allowed(api.call("PATCH", path, settingsSchema, { enabled: false }))) === false) return "turned off";
  note(`The token may not turn it off (that needs Zone → SSL and Certificates → Edit). ${byHand}`);
  return "left on: the token may not turn it off";
}

/** Undefined when the token may not. */
async function allowed(call: Promise<{ enabled: boolean }>): Promise<boolean | undefined> {
  try {
    return (await call).enabled;
  } catch (error) {
    if (error instanceof CloudflareRefusal && error.unauthorized) return undefined;
    throw error;
  }
}
