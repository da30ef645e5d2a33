/** All that `postern.yaml` may say. Everything has a default, so an empty file is a good one. */
import { z } from "zod";
import { attestationSettingsSchema } from "../attestation/settings.ts";
import { signalSettingsSchema } from "../bot/settings.ts";
import { gatewaySettingsSchema } from "../gateway/settings.ts";
import { inboxSettingsSchema } from "../inbox/settings.ts";
import { nodeSettingsSchema } from "./node-settings.ts";

/** Of the file's shape. Raised together with a new file in `migrations/`. */
export const settingsVersion = 1;

export const settingsSchema = z.strictObject({
  version: z.literal(settingsVersion).default(settingsVersion),
  node: nodeSettingsSchema.prefault({}),
  attestation: attestationSettingsSchema.prefault({}),
  gateway: gatewaySettingsSchema.prefault({}),
  signal: signalSettingsSchema.prefault({}),
  inbox: inboxSettingsSchema.prefault({}),
});

export type Settings = z.infer<typeof settingsSchema>;
