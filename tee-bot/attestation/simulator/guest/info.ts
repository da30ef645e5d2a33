/** What Info answers: who the application is, and what the machine has measured. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { hex } from "./call.ts";
import { eventsToJson } from "./events.ts";
import type { Machine } from "./machine.ts";

/** SHA-256 of the platform's serial number, which an agent does not know before a quote of it was verified. */
const deviceId = createHash("sha256").digest("hex");

export function infoOf(machine: Machine): Record<string, unknown> {
  return {
    app_id: hex(machine.appId),
    instance_id: hex(machine.instanceId),
    app_cert: "",
    tcb_info: tcbInfoOf(machine),
    app_name: composeOf(machine.compose)?.name ?? "",
    device_id: deviceId,
    mr_aggregated: hex(machine.aggregated),
    os_image_hash: hex(machine.osImage.hash),
    key_provider_info: machine.keyProviderInfo,
    compose_hash: hex(machine.composeHash),
    vm_config: machine.vmConfig,
    cloud_vendor: "SIMULATOR",
    cloud_product: "NOT INTEL",
  };
}

/** As the agent tells anybody who can reach the machine: what was measured only where the application's text allows it. */
export function publicInfoOf(machine: Machine): Record<string, unknown> {
  const info = infoOf(machine);
  return composeOf(machine.compose)?.public_tcbinfo === false ? { ...info, tcb_info: "", vm_config: "" } : info;
}

/** JSON text, which the original writes in several lines too. */
function tcbInfoOf(machine: Machine): string {
  const { mrtd, rtmr } = machine.measurements;
  const registers = { mrtd, rtmr0: rtmr[0], rtmr1: rtmr[1], rtmr2: rtmr[2], rtmr3: rtmr[3] };
  return JSON.stringify(
    {
      ...Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, hex(value)])),
      mr_aggregated: hex(machine.aggregated),
      os_image_hash: hex(machine.osImage.hash),
      compose_hash: hex(machine.composeHash),
      device_id: deviceId,
      event_log: eventsToJson(machine.events, false),
      app_compose: machine.compose,
    },
    undefined,
    2,
  );
}

const composeSchema = z.object({ name: z.string().default(""), public_tcbinfo: z.boolean().default(true) });

/** Undefined for a text of another form, which is measured all the same. */
function composeOf(compose: string): z.infer<typeof composeSchema> | undefined {
  try {
    return composeSchema.parse(JSON.parse(compose));
  } catch {
    return undefined;
  }
}
