/** What `postern.yaml` says of webhooks. */
import { z } from "zod";
import { hookNameSchema, maxHooks, maxWebhookBytes } from "../../shared/inbox/messages.ts";

const hook = z
  .strictObject({
    /** A service of the user's own, which takes them as they came. */
    forward: z.url({ protocol: /^https?$/ }),
    /** Where the sender's secret is, which never stands in the file itself; neither: anybody may send. */
    secretEnv: z.string().min(1).optional(),
    secretFile: z.string().min(1).optional(),
    maxBytes: z.int().min(1).max(maxWebhookBytes).optional(),
  })
  .refine(({ secretEnv, secretFile }) => secretEnv === undefined || secretFile === undefined, {
    path: ["secretFile"],
    message: "its secret is given twice · keep one of secretEnv and secretFile",
  });

export const inboxSettingsSchema = z.strictObject({
  hooks: z
    .record(hookNameSchema, hook)
    .refine((hooks) => Object.keys(hooks).length <= maxHooks, `at most ${maxHooks} hooks`)
    .default({}),
});

export type InboxSettings = z.infer<typeof inboxSettingsSchema>;
export type HookSettings = InboxSettings["hooks"][string];
