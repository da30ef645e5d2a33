/**
 * Stands in for Cloudflare's API, as far as records of one zone go: `/client/v4/zones/{id}/dns_records` and what a
 * client asks around it. It writes to the zone store, so that DNS sees what was written. Which answers are documented and
 * which are assumed is said in cloudflare-records.ts; of the token: 6003 with 6111, 10000 with 403 for missing rights
 * and the answer of tokens/verify are from public reports, 9109 and 7003 too, but their status is assumed.
 */
import { randomBytes } from "node:crypto";
import { Hono, type Context } from "hono";
import type { Answer, Fault, Faults } from "../faults.ts";
import { startFaultyServer, type Exchange } from "../faulty-server.ts";
import { listRecords } from "./cloudflare-list.ts";
import {
  batchLimit,
  CloudflareFailure,
  readFields,
  refuseConflict,
  showRecord,
  type RecordInput,
  type TxtContent,
} from "./cloudflare-records.ts";
import type { ZoneRecord, ZoneStore } from "./zone-store.ts";

export interface CloudflareApi extends AsyncDisposable {
  /** Ends in `/client/v4`: the SDK's `baseURL`. */
  readonly url: string;
  readonly zoneId: string;
  readonly faults: Faults;
  /** The one that is accepted; set another to revoke it. */
  token: string;
  /** What the token may do with records. */
  rights: "edit" | "read" | "none";
  /** Whether it may also read and change the zone's SSL settings. */
  sslRights: boolean;
  universalSsl: { enabled: boolean; certificate_authority: string };
  /** Lists show the zone as it was so long ago; a single record is always current. */
  listLagMs: number;
  recordQuota: number;
  txtContent: TxtContent;
}

/** A refusal in Cloudflare's form, to be injected: 429 with Retry-After, 500, 503. */
export function cloudflareFault(status: number, { code = status, message = "Injected.", retryAfter = "" } = {}): Fault {
  return { kind: "answer", answer: failed(status, { code, message }, retryAfter) };
}

/** More requests than the limit of 1200 in five minutes. */
export const tooManyRequests = (retryAfterSeconds: number): Fault =>
  cloudflareFault(429, {
    code: 971, // assumed; the status and the header are documented
    message: "Please wait and consider throttling your request speed",
    retryAfter: String(retryAfterSeconds),
  });

const base = "/client/v4";

export async function startCloudflareApi(
  store: ZoneStore,
  { token = randomBytes(30).toString("base64url"), zoneId = randomBytes(16).toString("hex"), port = 0 } = {},
): Promise<CloudflareApi> {
  const api = new StandIn(store, zoneId, token);
  const app = api.routes();
  const server = await startFaultyServer({ port, handle: (exchange) => dispatch(app, exchange) });
  return Object.assign(api, {
    url: `http://127.0.0.1:${server.port}${base}`,
    faults: server.faults,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  });
}

class StandIn {
  readonly zoneId: string;
  token: string;
  rights: CloudflareApi["rights"] = "edit";
  sslRights = true;
  universalSsl = { enabled: false, certificate_authority: "lets_encrypt" };
  listLagMs = 0;
  recordQuota = Number.POSITIVE_INFINITY;
  txtContent: TxtContent = "as-written";
  readonly #store: ZoneStore;

  constructor(store: ZoneStore, zoneId: string, token: string) {
    this.#store = store;
    this.zoneId = zoneId;
    this.token = token;
  }

  routes(): Hono {
    const app = new Hono().basePath(base);
    const zone = `/zones/${this.zoneId}`;
    app.onError((error, c) => {
      if (!(error instanceof CloudflareFailure)) throw error;
      return c.json({ result: null, success: false, errors: [error.error], messages: [] }, error.status);
    });
    app.notFound((c) => {
      const message = `Could not route to ${c.req.path}, perhaps your object identifier is invalid?`;
      return c.json({ result: null, success: false, errors: [{ code: 7003, message }], messages: [] }, 404);
    });
    app.use(async (c, next) => {
      this.#authenticate(c);
      await next();
    });
    app.get("/user/tokens/verify", (c) => shown(c, { id: "ed17574386854bf78a67040be0a770b0", status: "active" }));
    app.get("/zones", (c) => this.#zones(c));
    app.get(zone, (c) => shown(c, this.#zone()));
    app.get(`${zone}/ssl/universal/settings`, (c) => shown(c, this.universalSsl));
    app.patch(`${zone}/ssl/universal/settings`, async (c) => {
      Object.assign(this.universalSsl, await bodyOf(c));
      return shown(c, this.universalSsl);
    });
    app.get(`${zone}/dns_records`, (c) => this.#list(c));
    app.post(`${zone}/dns_records`, async (c) => shown(c, this.#show(this.#create(await bodyOf(c)))));
    app.post(`${zone}/dns_records/batch`, async (c) => shown(c, this.#batch(await bodyOf(c))));
    const one = `${zone}/dns_records/:record`;
    app.get(one, (c) => shown(c, this.#show(this.#existing(c.req.param("record") ?? ""))));
    app.delete(one, (c) => shown(c, { id: this.#remove(c.req.param("record") ?? "").id }));
    app.put(one, async (c) => shown(c, this.#show(this.#overwrite(c.req.param("record") ?? "", await bodyOf(c)))));
    app.patch(one, async (c) => shown(c, this.#show(this.#edit(c.req.param("record") ?? "", await bodyOf(c)))));
    return app;
  }

  #authenticate(c: Context): void {
    const header = c.req.header("authorization");
    if (header === undefined)
      throw new CloudflareFailure(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
    if (!/^Bearer [A-Za-z0-9_-]{40,}$/.test(header)) {
      const chain = [{ code: 6111, message: "Invalid format for Authorization header" }];
      throw new CloudflareFailure(400, 6003, "Invalid request headers", chain);
    }
    const path = c.req.path.slice(base.length);
    const known = header === `Bearer ${this.token}`;
    if (path === "/user/tokens/verify") {
      if (!known) throw new CloudflareFailure(401, 1000, "Invalid API Token");
      return;
    }
    if (path.includes("/dns_records") || path.includes("/ssl/")) {
      const writes = c.req.method !== "GET";
      const allowed = path.includes("/ssl/")
        ? this.sslRights
        : this.rights === "edit" || (this.rights === "read" && !writes);
      if (!known || !allowed) throw new CloudflareFailure(403, 10000, "Authentication error");
    } else if (!known) {
      throw new CloudflareFailure(403, 9109, "Invalid access token");
    }
  }

  #zone(): Record<string, unknown> {
    if (this.rights === "none") throw new CloudflareFailure(403, 9109, "Unauthorized to access requested resource");
    const { zone } = this.#store;
    return {
      id: this.zoneId,
      name: zone,
      status: "active",
      paused: false,
      type: "full",
      development_mode: 0,
      name_servers: [`ns1.${zone}`, `ns2.${zone}`],
      account: { id: "0".repeat(32), name: "Test account" },
      owner: { id: null, type: "user", email: null },
      plan: { id: "0".repeat(32), name: "Free Website", legacy_id: "free" },
      permissions: this.rights === "edit" ? ["#dns_records:edit", "#dns_records:read"] : ["#dns_records:read"],
      created_on: "2026-01-01T00:00:00.000000Z",
      modified_on: "2026-01-01T00:00:00.000000Z",
      activated_on: "2026-01-01T00:00:00.000000Z",
    };
  }

  #zones(c: Context): Response {
    const name = c.req.query("name");
    const visible = this.rights !== "none" && (name === undefined || name === this.#store.zone);
    const zones = visible ? [this.#zone()] : [];
    return shown(c, zones, pageInfo(1, 20, zones.length, zones.length));
  }

  #list(c: Context): Response {
    const all = this.#store.view({ agoMs: this.listLagMs }).all();
    const { records, page, perPage, totalCount } = listRecords(all, new URL(c.req.url).searchParams);
    return shown(
      c,
      records.map((record) => this.#show(record)),
      pageInfo(page, perPage, records.length, totalCount),
    );
  }

  #create(input: RecordInput): ZoneRecord {
    const fields = readFields(input, this.#store.zone);
    if (this.#store.size >= this.recordQuota) throw new CloudflareFailure(400, 81045, "Record quota exceeded.");
    refuseConflict(fields, this.#store.now().at(fields.name));
    return this.#store.add(fields);
  }

  #overwrite(id: string, input: RecordInput): ZoneRecord {
    const before = this.#existing(id);
    const fields = readFields(input, this.#store.zone);
    const others = this.#store.now().at(fields.name);
    refuseConflict(
      fields,
      others.filter((other) => other.id !== id),
    );
    const after = { ...before, ...fields, modifiedAt: Date.now() };
    this.#store.replace(after);
    return after;
  }

  #edit(id: string, input: RecordInput): ZoneRecord {
    const { data: _, ...before } = this.#show(this.#existing(id)) as RecordInput;
    return this.#overwrite(id, { ...before, ...(input.data === undefined && this.#caaData(id)), ...input });
  }

  #caaData(id: string): Pick<RecordInput, "data"> {
    return { data: this.#show(this.#existing(id))["data"] };
  }

  #remove(id: string): ZoneRecord {
    const record = this.#existing(id);
    this.#store.remove(id);
    return record;
  }

  /** In the order that is documented, all of it or nothing. */
  #batch(input: BatchInput): Record<string, unknown> {
    const { deletes = [], patches = [], puts = [], posts = [] } = input;
    if (deletes.length + patches.length + puts.length + posts.length > batchLimit) {
      throw new CloudflareFailure(400, 1004, `A batch may change ${batchLimit} records at most.`); // assumed
    }
    return this.#store.transaction(() => ({
      deletes: deletes.map(({ id }) => this.#show(this.#remove(id))),
      patches: patches.map(({ id, ...fields }) => this.#show(this.#edit(id, fields))),
      puts: puts.map(({ id, ...fields }) => this.#show(this.#overwrite(id, fields))),
      posts: posts.map((fields) => this.#show(this.#create(fields))),
    }));
  }

  #existing(id: string): ZoneRecord {
    const record = this.#store.get(id);
    if (!record) throw new CloudflareFailure(404, 81044, "Record does not exist.");
    return record;
  }

  #show(record: ZoneRecord): Record<string, unknown> {
    return showRecord(record, this.txtContent);
  }
}

interface BatchInput {
  readonly deletes?: readonly { id: string }[];
  readonly patches?: readonly (RecordInput & { id: string })[];
  readonly puts?: readonly (RecordInput & { id: string })[];
  readonly posts?: readonly RecordInput[];
}

async function dispatch(app: Hono, { method, target, headers, body }: Exchange): Promise<Answer> {
  const init: RequestInit = { method, headers: Object.entries(headers).map(([name, value]) => [name, String(value)]) };
  if (body.length > 0) init.body = new Uint8Array(body);
  const response = await app.fetch(new Request(`http://127.0.0.1${target}`, init));
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  };
}

async function bodyOf<T extends object>(c: Context): Promise<T> {
  try {
    return await c.req.json<T>();
  } catch {
    throw new CloudflareFailure(400, 9207, "Request body is invalid.");
  }
}

const shown = (c: Context, result: unknown, resultInfo?: object): Response =>
  c.json({ result, success: true, errors: [], messages: [], ...(resultInfo && { result_info: resultInfo }) });

const pageInfo = (page: number, perPage: number, count: number, totalCount: number): object => ({
  page,
  per_page: perPage,
  count,
  total_count: totalCount,
  total_pages: Math.ceil(totalCount / perPage),
});

const failed = (status: number, error: { code: number; message: string }, retryAfter: string): Answer => ({
  status,
  headers: { "content-type": "application/json", ...(retryAfter !== "" && { "retry-after": retryAfter }) },
  body: JSON.stringify({ result: null, success: false, errors: [error], messages: [] }),
});
