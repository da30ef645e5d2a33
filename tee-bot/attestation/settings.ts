/** What `postern.yaml` says of the TEE and of the evidence that the node shows. */
import { z } from "zod";
import { isLogSpec } from "./transparency/log-spec.ts";

/** `auto`: a guest agent where its socket is found, else none. `simulated` proves nothing, and says so everywhere. */
export const teeSettings = ["auto", "dstack", "simulated", "off"] as const;
export type TeeSetting = (typeof teeSettings)[number];

/** Intel's collateral from a cache that needs no key: the one that @phala/dcap-qvl asks by itself. */
export const defaultCollateral = "https://pccs.phala.network";

const maxLogs = 50;

/** Public logs of certificates in which the node looks for its own names. */
const watchSchema = z.strictObject({
  /** URLs, each with the log's key after a `#`, as for `postern watch --log`. */
  logs: z
    .array(z.string().refine(isLogSpec, "not a log · give https://log.example/#<its key>"))
    .max(maxLogs)
    .default([]),
  /** SHA-256 of keys (SubjectPublicKeyInfo) that may be there besides the node's own. */
  expect: z
    .array(z.string().regex(/^[0-9a-f]{64}$/, "give 64 hexadecimal characters in lower case"))
    .max(64)
    .default([]),
});

export const attestationSettingsSchema = z.strictObject({
  tee: z.enum(teeSettings).default("auto"),
  /** The guest agent's Unix socket; undefined: where dstack has it. */
  socket: z.string().min(1).optional(),
  /** No certificate is served whose key could not be attested; outside a TEE the node does not start. */
  required: z.boolean().default(false),
  /** Base URL of a PCS or PCCS (API v4). */
  collateral: z.url({ protocol: /^https?$/ }).default(defaultCollateral),
  /** Show the text of the application's compose file; its digest is shown in any case. */
  appCompose: z.boolean().default(true),
  watch: watchSchema.prefault({}),
});

export type AttestationSettings = z.infer<typeof attestationSettingsSchema>;
