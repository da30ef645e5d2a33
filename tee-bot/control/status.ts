import { z } from "zod";
import { troubleSchema } from "../../shared/registry/messages.ts";
import { tees } from "../attestation/attestation.ts";
import { botStateSchema } from "../bot/bot-state.ts";
import { certificateReportSchema } from "../certificate/certificate-report.ts";
import { healthStates, healthSteps } from "../health/health.ts";
import { transports } from "../tunnel/transport.ts";

/** What `GET /v1/status` of the control API tells, for the CLI and later the dashboard. */
export const nodeStatusSchema = z.object({
  node: z.string(),
  version: z.string(),
  /** Where it runs; `simulated` is no TEE. */
  tee: z.enum(tees),
  epoch: z.int().nullable(),
  url: z.string().nullable(),
  hostnames: z.array(z.string()),
  /** As `postern expose` takes it. */
  target: z.string(),
  gateway: z.string(),
  relays: z.array(z.object({ name: z.string(), up: z.boolean(), transport: z.enum(transports).optional() })),
  /** How visitors fare through each relay, as others have found from outside. */
  paths: z
    .array(
      z.object({
        relay: z.string(),
        state: z.enum(["up", "down"]),
        detail: z.string().optional(),
        checkedAt: z.int(),
      }),
    )
    .default([]),
  visitors: z.int(),
  /** The Signal bot, where there is one. */
  signal: botStateSchema.optional(),
  certificate: certificateReportSchema,
  /** What somebody has to look at, as the edge tells it: each with its remedy. */
  troubles: z.array(troubleSchema),
  health: z.object({
    status: z.enum(healthStates),
    hostnames: z.array(z.string()),
    steps: z.array(z.object({ step: z.enum(healthSteps), ok: z.boolean(), detail: z.string() })),
  }),
});

export type NodeStatus = z.infer<typeof nodeStatusSchema>;

/** `PUT /v1/exposure`. */
export const exposureSchema = z.object({ target: z.string().min(1).max(2_000) });

/** `POST /v1/certificate/renewal`, answered with 202: orders that end later than this are the answer to it. */
export const renewalAnswerSchema = z.object({ askedAt: z.int() });
export type RenewalAnswer = z.infer<typeof renewalAnswerSchema>;

/** The file by which the CLI finds the node that runs: mode 0600, gone when the node stops. */
export const controlFileSchema = z.object({ url: z.url(), token: z.string().min(1), pid: z.int() });
export type ControlFile = z.infer<typeof controlFileSchema>;
