/** The part of the control API that keeps the API keys. */
import { Hono } from "hono";
import { z } from "zod";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import { decideKeyState, keyWishSchema, type ApiKey } from "../gateway/access/api-key.ts";
import type { Ledger } from "../gateway/ledger.ts";
import type { ListedKey } from "./key-messages.ts";
import { readJson } from "./read-json.ts";

export function keyRoutes({ ledger, clock }: { ledger: Pick<Ledger, "keys" | "usage">; clock: Clock }): Hono {
  const { keys, usage } = ledger;
  const app = new Hono();
  const listed = (key: ApiKey): ListedKey => {
    const now = clock.now();
    return { ...key, state: decideKeyState(key, now), tokensThisMonth: usage.of(key.id, now) };
  };

  app.get("/v1/keys", (context) => context.json({ keys: keys.list().map(listed) }));

  app.post("/v1/keys", async (context) => {
    const wish = keyWishSchema.safeParse(await readJson(context.req));
    if (!wish.success) throw new AppError("bad-request", `No key can be made of that.\n${z.prettifyError(wish.error)}`);
    const { key, text } = keys.create(wish.data);
    return context.json({ key: listed(key), text }, 201, { "cache-control": "no-store" });
  });

  app.delete("/v1/keys/:idOrName", (context) => context.json(listed(keys.revoke(context.req.param("idOrName")))));

  return app;
}
