/** Whether the zone is there and the token may do what the edge will do with it: tried, not read from a list of rights. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { CloudflareRefusal, type Cloudflare } from "./cloudflare.ts";
import { SetupFailure } from "./failure.ts";

export interface Zone {
  readonly id: string;
  /** As Cloudflare has it: ZONE, or a name that ZONE is below. */
  readonly name: string;
  readonly accountId: string;
}

const zoneSchema = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  account: z.object({ id: z.string() }),
});
const tokenSchema = z.object({ status: z.string(), expires_on: z.string().optional() });
const recordSchema = z.object({ id: z.string() });

const editRight = "Give the token the permission Zone → DNS → Edit, for this zone only (docs/deploy-edge.md).";

/** The zone of that id, or the one that `name` is, or is below. */
export async function findZone(api: Cloudflare, name: string, id?: string): Promise<Zone> {
  const zone = id === undefined ? await zoneOfName(api, name) : await zoneOfId(api, id);
  if (name !== zone.name && !name.endsWith(`.${zone.name}`))
    throw new SetupFailure(
      `ZONE_ID is the id of ${zone.name}, and ZONE is ${name}.`,
      "Leave ZONE_ID out and it is looked up.",
    );
  if (zone.status !== "active")
    throw new SetupFailure(
      `The zone ${zone.name} is "${zone.status}" at Cloudflare, so nobody sees its records.`,
      "Set its name servers at the registrar to those that Cloudflare shows, and wait until the zone is active.",
    );
  return { id: zone.id, name: zone.name, accountId: zone.account.id };
}

async function zoneOfId(api: Cloudflare, id: string): Promise<z.infer<typeof zoneSchema>> {
  try {
    return await api.call("GET", `/zones/${encodeURIComponent(id)}`, zoneSchema);
  } catch (error) {
    throw refused(error, `ZONE_ID: no zone of this id can be read.`, editRight);
  }
}

async function zoneOfName(api: Cloudflare, name: string): Promise<z.infer<typeof zoneSchema>> {
  const labels = name.split(".");
  try {
    for (let first = 0; first < labels.length - 1; first += 1) {
      const candidate = labels.slice(first).join(".");
      const [zone] = await api.call("GET", `/zones?name=${encodeURIComponent(candidate)}`, z.array(zoneSchema));
      if (zone) return zone;
    }
  } catch (error) {
    throw refused(error, "Zones cannot be looked up with this token.", editRight);
  }
  throw new SetupFailure(
    `The token sees no zone ${name}.`,
    `Add the zone at Cloudflare (https://dash.cloudflare.com). ${editRight}`,
  );
}

/** The day it expires, if it does. Throws unless Cloudflare knows the token and it is active. */
export async function checkToken(api: Cloudflare, accountId: string): Promise<string | undefined> {
  let token: z.infer<typeof tokenSchema>;
  try {
    token = await api.call("GET", "/user/tokens/verify", tokenSchema);
  } catch (error) {
    if (!(error instanceof CloudflareRefusal && error.unauthorized)) throw error;
    // Tokens of an account, rather than of a person, are known only there.
    token = await api.call("GET", `/accounts/${accountId}/tokens/verify`, tokenSchema).catch(() => {
      throw refused(
        error,
        "CLOUDFLARE_API_TOKEN is no token of Cloudflare's.",
        "Make one as docs/deploy-edge.md says.",
      );
    });
  }
  if (token.status !== "active")
    throw new SetupFailure(`CLOUDFLARE_API_TOKEN is ${token.status}.`, "Make another as docs/deploy-edge.md says.");
  return token.expires_on;
}

/** Writes a TXT record and takes it away again, with whatever an interrupted run has left. */
export async function tryRecord(api: Cloudflare, zone: Zone, below: string): Promise<void> {
  const records = `/zones/${zone.id}/dns_records`;
  const name = `_postern-setup.${below}`;
  try {
    const left = await api.call("GET", `${records}?type=TXT&name.exact=${name}`, z.array(recordSchema));
    const content = `"${randomUUID()}"`;
    const { id } = await api.call("POST", records, recordSchema, { type: "TXT", name, content, ttl: 60 });
    for (const record of [...left, { id }]) await api.call("DELETE", `${records}/${record.id}`, z.unknown());
  } catch (error) {
    throw refused(error, `The token may not write records of ${zone.name}.`, editRight);
  }
}

/** What Cloudflare refused, in the setup's words; any other error as it is. */
function refused(error: unknown, what: string, remedy: string): unknown {
  if (!(error instanceof CloudflareRefusal)) return error;
  if (!error.unauthorized)
    return new SetupFailure(error.message, "Try again, or see docs/deploy-edge.md.", { cause: error });
  return new SetupFailure(`${what} ${error.message}`, remedy, { cause: error });
}
