import type { InboxObject } from "./inbox-object.ts";
import type { Env } from "../env.ts";
import type { Remote } from "../remote.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export function inboxObject(env: Env, node: NodeId): Remote<InboxObject> {
  return env.INBOXES.get(env.INBOXES.idFromName(node));
}
