/** What dstack measured of the application into RTMR3 before it handed over to it. */
import { z } from "zod";
import { toHex } from "../../hex.ts";
import { runtimeEventType, type LoggedEvent } from "./event-log.ts";
import { parseJson } from "../../parse-json.ts";
import { rejected } from "../rejected.ts";

export interface MeasuredApp {
  /** Hex, as are those below. */
  readonly appId: string;
  /** SHA-256 of the compose text. */
  readonly composeHash: string;
  readonly instanceId: string;
  readonly keyProvider: { readonly name: string; readonly id: string };
  /** What the key provider was told; undefined where none asked. */
  readonly osImageHash: string | undefined;
  /** As measured: a digest, or JSON that names it. */
  readonly gpuAttestation: Uint8Array | undefined;
}

/** After this event the application runs and may add events of its own, of any name. */
const handover = "system-ready";

/** Takes events of a log whose replay equals the quote's registers. Throws unless each is there exactly once. */
export function readMeasuredApp(events: readonly LoggedEvent[]): MeasuredApp {
  const measured = events.filter(({ register }) => register === 3);
  const end = measured.findIndex(({ name }) => name === handover);
  if (end < 0)
    throw rejected(`The event log has no ${handover}: what came before the application cannot be told apart.`);
  const before = measured.slice(0, end);
  if (before.some(({ type }) => type !== runtimeEventType))
    throw rejected("RTMR3 was extended with something that is no event of dstack before the application ran.");
  const provider = keyProviderSchema.safeParse(parseJson(textOf(one(before, "key-provider"))));
  if (!provider.success) throw rejected("The event key-provider does not name one.");
  const composeHash = one(before, "compose-hash");
  if (composeHash.length !== 32) throw rejected("The event compose-hash has no SHA-256.");
  const osImageHash = optional(before, "os-image-hash");
  return {
    appId: toHex(one(before, "app-id")),
    composeHash: toHex(composeHash),
    instanceId: toHex(one(before, "instance-id")),
    keyProvider: provider.data,
    osImageHash: osImageHash && toHex(osImageHash),
    gpuAttestation: optional(before, "gpu-attestation"),
  };
}

const keyProviderSchema = z.object({ name: z.string().max(64), id: z.string().max(4096).default("") });

function one(events: readonly LoggedEvent[], name: string): Uint8Array {
  const payload = optional(events, name);
  if (!payload) throw rejected(`The event log has no ${name} before ${handover}.`);
  return payload;
}

function optional(events: readonly LoggedEvent[], name: string): Uint8Array | undefined {
  const found = events.filter((event) => event.name === name);
  if (found.length > 1) throw rejected(`The event log has ${name} ${found.length} times before ${handover}.`);
  return found[0]?.payload;
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
