import { parseRequestTarget } from "../../expose/request-target.ts";

/** Where signal-cli-rest-api posts messages, on this machine or at the node's public name. */
export const hookPath = "/hooks/signal";

/** Also where the request target is a whole URL (RFC 9112 §3.2.2). */
export function isForHook(target: string): boolean {
  if (!target.includes(hookPath)) return false;
  const path = parseRequestTarget(target)?.path ?? "";
  return path === hookPath || path.startsWith(`${hookPath}?`);
}
