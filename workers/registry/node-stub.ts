import type { NodeObject } from "./node-object.ts";
import type { Env } from "../env.ts";
import type { Remote } from "../remote.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export function nodeObject(env: Env, node: NodeId): Remote<NodeObject> {
  return env.NODES.get(env.NODES.idFromName(node));
}
