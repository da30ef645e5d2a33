/** What `postern.yaml` says of the TEE and of the evidence that the node shows. */
import { z } from "zod";

/** `auto`: a guest agent where its socket is found, else none. `simulated` proves nothing, and says so everywhere. */
export const teeSettings = ["auto", "dstack", "simulated", "off"] as const;
export type TeeSetting = (typeof teeSettings)[number];

/** Intel's collateral from a cache that needs no key: the one that @phala/dcap-qvl asks by itself. */
export const defaultCollateral = "https://pccs.phala.network";

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
});

export type AttestationSettings = z.infer<typeof attestationSettingsSchema>;
