/**
 * The simulated confidential VM: what was measured when it started (system, application, who has its keys), and what its
 * log and its quotes say of that.
 */
import { createHash } from "node:crypto";
import type { TdReport } from "../pki/reports.ts";
import { AgentError } from "./agent-error.ts";
import { eventsToJson, replay, runtimeEvent, type EventVersion, type MeasuredEvent } from "./events.ts";
import { traits, type Generation } from "./generation.ts";
import { osImageOf, type OsImage } from "./os-image.ts";

export interface MachineOptions {
  readonly generation: Generation;
  /** The exact text: its SHA-256 is measured. */
  readonly compose: string;
  readonly eventVersion: EventVersion;
  /** Of the key provider's CA, DER: its name in the measurements. */
  readonly keyProviderSpki: Uint8Array;
  /** What tells this machine from others with the same application. */
  readonly instanceSeed: Uint8Array;
}

export type Measurements = Pick<TdReport, "mrtd" | "mrConfigId" | "rtmr">;

/** A log of which nothing is ever removed. */
const maxEvents = 1_000;
const maxNameLength = 1_024;
const maxPayloadBytes = 16 * 1024;
const appIdBytes = 20;
const mrConfigIdVersion = 1;
const measurementBytes = 48;

export class Machine {
  readonly generation: Generation;
  readonly compose: string;
  readonly appId: Buffer;
  readonly composeHash: Buffer;
  readonly instanceId: Buffer;
  readonly osImage: OsImage;
  /** JSON text. */
  readonly keyProviderInfo: string;
  /** JSON text. */
  readonly vmConfig: string;
  readonly #eventVersion: EventVersion;
  readonly #events: MeasuredEvent[];

  constructor({ generation, compose, eventVersion, keyProviderSpki, instanceSeed }: MachineOptions) {
    this.generation = generation;
    this.compose = compose;
    this.#eventVersion = eventVersion;
    this.composeHash = sha256(compose);
    this.appId = this.composeHash.subarray(0, appIdBytes);
    this.instanceId = sha256(instanceSeed, this.appId).subarray(0, appIdBytes);
    this.osImage = osImageOf(generation);
    this.keyProviderInfo = JSON.stringify({ name: "kms", id: Buffer.from(keyProviderSpki).toString("hex") });
    this.vmConfig = vmConfigOf(generation, this.osImage);
    const started: [string, Uint8Array][] = [
      ["system-preparing", Buffer.alloc(0)],
      ["app-id", this.appId],
      ["compose-hash", this.composeHash],
      ["instance-id", this.instanceId],
      ["boot-mr-done", Buffer.alloc(0)],
      ["os-image-hash", this.osImage.hash],
      ["key-provider", Buffer.from(this.keyProviderInfo)],
      ["storage-fs", Buffer.from("zfs")],
      ["system-ready", Buffer.alloc(0)],
    ];
    this.#events = [
      ...this.osImage.bootEvents,
      ...started.map(([name, payload]) => runtimeEvent(name, payload, eventVersion)),
    ];
  }

  /** Extends RTMR3 for as long as the machine runs. */
  emit(name: string, payload: Uint8Array): void {
    if (this.#events.length >= maxEvents) throw new AgentError("The event log is full");
    if (name.length > maxNameLength || payload.length > maxPayloadBytes) throw new AgentError("The event is too large");
    this.#events.push(runtimeEvent(name, payload, this.#eventVersion));
  }

  get events(): readonly MeasuredEvent[] {
    return this.#events;
  }

  /** What the registers have now. */
  get measurements(): Measurements {
    const mrConfigId = Buffer.alloc(measurementBytes);
    if (traits[this.generation].lite) Buffer.concat([Buffer.of(mrConfigIdVersion), this.composeHash]).copy(mrConfigId);
    const register = (imr: MeasuredEvent["imr"]): Uint8Array => replay(this.#events, imr);
    return { mrtd: this.osImage.mrtd, mrConfigId, rtmr: [register(0), register(1), register(2), register(3)] };
  }

  /** JSON text, as a quote is accompanied by it. */
  get eventLog(): string {
    return JSON.stringify(eventsToJson(this.#events, traits[this.generation].lite));
  }

  /** dstack's one digest of everything, over MRTD, the registers and, where it is not zero, MRCONFIGID and its kin. */
  get aggregated(): Buffer {
    const { mrtd, rtmr, mrConfigId } = this.measurements;
    const owners = Buffer.alloc(2 * measurementBytes);
    return sha256(mrtd, ...rtmr, ...(mrConfigId.some((byte) => byte !== 0) ? [mrConfigId, owners] : []));
  }
}

function vmConfigOf(generation: Generation, { hash, measurement }: OsImage): string {
  const lite = traits[generation].lite && { tdx_attestation_variant: "lite", tdx_measurement: measurement };
  return JSON.stringify({
    spec_version: 1,
    os_image_hash: hash.toString("hex"),
    cpu_count: 2,
    memory_size: 2 * 1024 ** 3,
    qemu_version: "8.2.2",
    num_gpus: 0,
    image: `dstack-${traits[generation].version}`,
    ...lite,
    simulated: true,
  });
}

function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
