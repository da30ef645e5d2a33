import type * as worker from "./worker.ts";
import type { Env as EdgeEnv } from "../../../workers/env.ts";

declare global {
  // oxlint-disable-next-line typescript/no-namespace
  namespace Cloudflare {
    interface Env extends EdgeEnv {}
    interface GlobalProps {
      mainModule: typeof worker;
    }
  }
}
