/**
 * The edge with meters at everything that Cloudflare bills, and a clock that can be moved; for edge-cost.ts, never
 * deployed. Its own paths: `/__counters`, `/__clock?ms=…`, `/__settled?ms=…`, `/__sizes`.
 */
import { moveClock } from "./moved-clock.ts";
import { counters } from "./counters.ts";
import { meterFetch } from "./metered-fetch.ts";
import { inspectAll, meteredEnv, moveAlarms } from "./metered-namespaces.ts";
import { isRunningAlarm, meteredObject } from "./metered-object.ts";
import edge, * as objects from "../../../workers/index.ts";
import type { Env } from "../../../workers/env.ts";

export const NodeObject = meteredObject("NodeObject", objects.NodeObject);
export const RouteHub = meteredObject("RouteHub", objects.RouteHub);
export const DnsZone = meteredObject("DnsZone", objects.DnsZone);
export const AcmeAccount = meteredObject("AcmeAccount", objects.AcmeAccount);
export const RelayStatus = meteredObject("RelayStatus", objects.RelayStatus);

meterFetch();

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const ms = Number(searchParams.get("ms"));
    switch (pathname) {
      case "/__counters":
        return Response.json(counters());
      case "/__clock":
        moveClock(ms);
        await moveAlarms(ms);
        return Response.json(null);
      case "/__settled": {
        const found = await inspectAll();
        return Response.json(!isRunningAlarm() && found.every(({ dueInMs }) => dueInMs === null || dueInMs > ms));
      }
      case "/__sizes":
        return Response.json(await inspectAll());
      default:
        counters.add("worker requests");
        return edge.fetch(request, meteredEnv(env), context);
    }
  },
};
