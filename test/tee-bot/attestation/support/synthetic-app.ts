/** An application as dstack would have measured it, with registers computed by node:crypto: a second way to the same values. */
import { createHash } from "node:crypto";
import type { QuoteEvidence } from "../../../../shared/attestation/evidence.ts";

export interface SyntheticEvent {
  readonly imr: number;
  readonly event_type: number;
  readonly digest: string;
  readonly event: string;
  readonly event_payload: string;
  readonly version?: number;
}

export interface SyntheticApp {
  readonly events: readonly SyntheticEvent[];
  readonly rtmr: readonly [Buffer, Buffer, Buffer, Buffer];
  readonly composeHash: string;
  /** Without its quote, which has to be signed over the registers. */
  readonly evidence: Omit<QuoteEvidence, "quote">;
}

export const runtimeType = 0x0800_0001;
export const syntheticProvider = { name: "kms", id: "3059301306".padEnd(182, "5") };

const dockerCompose = `services:
  web:
    image: example.org/web@sha256:${"ab".repeat(32)}
  store:
    image: example.org/store:1.2@sha256:${"cd".repeat(32)}
`;

/** Pretty-printed, so that whoever hashes it parsed and written anew gets another hash. */
export const syntheticCompose = JSON.stringify(
  { manifest_version: 2, name: "app", runner: "docker-compose", docker_compose_file: dockerCompose },
  null,
  4,
);

export interface AppOptions {
  readonly compose?: string;
  /** In the place of the honest ones. */
  readonly events?: readonly SyntheticEvent[];
  /** Before the handover, beside the honest ones. */
  readonly more?: readonly SyntheticEvent[];
  readonly vmConfig?: string;
}

export function syntheticApp({
  compose = syntheticCompose,
  events,
  more = [],
  vmConfig,
}: AppOptions = {}): SyntheticApp {
  const composeHash = createHash("sha256").update(compose).digest("hex");
  const all = events ?? [...firmwareEvents(), ...guestEvents(composeHash, more)];
  return {
    events: all,
    rtmr: [replayed(all, 0), replayed(all, 1), replayed(all, 2), replayed(all, 3)],
    composeHash,
    evidence: {
      event_log: JSON.stringify(all),
      app_compose: compose,
      ...(vmConfig === undefined ? {} : { vm_config: vmConfig }),
    },
  };
}

export function guestEvents(composeHash: string, more: readonly SyntheticEvent[] = []): SyntheticEvent[] {
  return [
    runtimeEvent("system-preparing", ""),
    runtimeEvent("app-id", composeHash.slice(0, 40)),
    runtimeEvent("compose-hash", composeHash),
    runtimeEvent("instance-id", "11".repeat(20)),
    runtimeEvent("boot-mr-done", ""),
    runtimeEvent("key-provider", Buffer.from(JSON.stringify(syntheticProvider)).toString("hex")),
    ...more,
    runtimeEvent("system-ready", ""),
  ];
}

export function firmwareEvents(): SyntheticEvent[] {
  return [0, 0, 1, 1, 2].map((imr, at) => ({
    imr,
    event_type: 0x8000_0001 + at,
    digest: sha384(Buffer.from(`firmware ${at}`)).toString("hex"),
    event: "",
    event_payload: "",
  }));
}

/** In form 1: type ‖ ":" ‖ name ‖ ":" ‖ payload. */
export function runtimeEvent(event: string, payload: string): SyntheticEvent {
  const input = Buffer.concat([Buffer.from("01000008", "hex"), Buffer.from(`:${event}:`), Buffer.from(payload, "hex")]);
  return { imr: 3, event_type: runtimeType, digest: sha384(input).toString("hex"), event, event_payload: payload };
}

/** In form 2: canonical JSON. */
export function secondRuntimeEvent(event: string, payload: string): SyntheticEvent {
  const input = `{"name":${JSON.stringify(event)},"payload":"${payload}","type":${runtimeType}}`;
  const digest = sha384(Buffer.from(input)).toString("hex");
  return { imr: 3, event_type: runtimeType, digest, event, event_payload: payload };
}

export function replayed(events: readonly SyntheticEvent[], imr: number): Buffer {
  let register = Buffer.alloc(48);
  for (const { digest } of events.filter((event) => event.imr === imr))
    register = sha384(Buffer.concat([register, Buffer.from(digest, "hex")]));
  return register;
}

export function sha384(bytes: Uint8Array): Buffer<ArrayBuffer> {
  return Buffer.from(createHash("sha384").update(bytes).digest());
}
