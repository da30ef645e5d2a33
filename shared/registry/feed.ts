/**
 * The relay feed, `GET /v1/relays/{relay}/feed?since={cursor}` upgraded to a WebSocket: JSON text messages from
 * the edge. A cursor is opaque; it names a state of one hub. A relay whose cursor the hub no longer knows
 * gets a snapshot, in as many parts as needed; everyone else gets what changed since.
 */
import { z } from "zod";
import { hostnameSchema, routeSchema } from "./messages.ts";

const removedRouteSchema = z.object({ name: hostnameSchema, node: z.null() });

export const feedMessageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("snapshot"),
    cursor: z.string(),
    routes: z.array(routeSchema),
    /** True for the first part: forget everything else once the last part is in. */
    first: z.boolean(),
    last: z.boolean(),
  }),
  z.object({
    type: z.literal("delta"),
    cursor: z.string(),
    changes: z.array(z.union([routeSchema, removedRouteSchema])),
  }),
]);

export type FeedMessage = z.infer<typeof feedMessageSchema>;
export type RouteChange = Extract<FeedMessage, { type: "delta" }>["changes"][number];

export const maxRoutesPerMessage = 2_000; // about 250 KB of JSON

/** Text the relay sends to learn whether the edge still listens; answered without waking the hub. */
export const feedPing = "ping";
export const feedPong = "pong";
