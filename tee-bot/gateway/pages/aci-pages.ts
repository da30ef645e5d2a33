/** Receipts and attested sessions for clients of Attested Confidential Inference: `aci/1` (private-ai-gateway, spec/aci.md §7, §8). */
import { Hono, type Context } from "hono";
import { aciVersion } from "../../../shared/attestation/aci-statement.ts";
import type { Receipts } from "../receipts/receipts.ts";
import type { SessionView } from "../receipts/session-view.ts";
import type { PageEnvironment } from "./page-environment.ts";

export interface AciPagesOptions {
  /** Undefined outside a TEE, where no key could sign them. */
  readonly receipts: Receipts | undefined;
  readonly sessions: SessionView;
}

const said = { "cache-control": "no-store", "x-aci-version": aciVersion } as const;
const sessionId = /^[0-9a-f]{64}$/;
const maxNameLength = 200;

export function aciPages({ receipts, sessions }: AciPagesOptions): Hono<PageEnvironment> {
  const app = new Hono<PageEnvironment>();

  app.get("/v1/aci/receipts/:id", (context) => {
    if (!receipts)
      return fail(
        context,
        503,
        "tee_absent",
        "This node signs no receipts, since it runs in no TEE that could vouch for the key.",
      );
    const id = context.req.param("id");
    const receipt = id.length > maxNameLength ? undefined : receipts.find(id, context.env.caller?.keyId);
    // The same for what is not there and what is not theirs (§7.6).
    if (!receipt)
      return fail(context, 404, "not_found", "There is no receipt of that id for this caller, or it is forgotten.");
    return context.json(receipt, 200, said);
  });

  app.get("/v1/aci/sessions", (context) => {
    const { upstream_name: upstream, model } = context.req.query();
    return context.json({ api_version: aciVersion, sessions: sessions.list(upstream, model) }, 200, said);
  });

  app.get("/v1/aci/sessions/:id", (context) => {
    const id = context.req.param("id");
    const text = sessionId.test(id) ? (sessions.find(id) ?? receipts?.session(id)) : undefined;
    if (text === undefined)
      return fail(context, 404, "not_found", "There is no session of that id, or no receipt cites it any more.");
    return context.body(text, 200, { ...said, "content-type": "application/json" });
  });

  return app;
}

function fail(context: Context, status: 404 | 503, type: string, message: string): Response {
  return context.json({ error: { message, type, param: null, code: type } }, status, said);
}
