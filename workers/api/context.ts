import type { Config, Secrets } from "../config.ts";
import type { Env } from "../env.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** What a route handler finds in its context. `signer` is set behind `authenticated()` only. */
export interface Edge {
  Bindings: Env;
  Variables: {
    requestId: string;
    clock: Clock;
    log: Log;
    config: Config;
    secrets: Secrets;
    signer: NodeId;
  };
}
