import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { systemClock } from "../../../../../shared/clock.ts";
import { silentLog } from "../../../../../shared/log.ts";
import { Host } from "../../../../../tee-bot/bot/simulator/container/host.ts";
import { Faults } from "../../../../../tee-bot/bot/simulator/faults.ts";
import { Registration } from "../../../../../tee-bot/bot/simulator/rest/registration.ts";
import { createRestApi } from "../../../../../tee-bot/bot/simulator/rest/rest-api.ts";
import * as schemas from "../../../../../tee-bot/bot/simulator/rest/schemas.ts";
import { StateFile } from "../../../../../tee-bot/bot/simulator/state-file.ts";
import { World } from "../../../../../tee-bot/bot/simulator/signal/world.ts";
import { number } from "../support/world.ts";
import { signalFixture } from "../support/signal-fixtures.ts";

const swagger = signalFixture("signal-cli-rest-api.swagger.json");

/** As `GET /v1/groups/{}`. */
const withoutNames = (route: string): string => route.replaceAll(/:\w+|\{\w+\}/g, "{}");

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly $ref?: string;
  readonly additionalProperties?: boolean;
}

const named: readonly (readonly [definition: string, schema: z.ZodType])[] = [
  ["api.SendMessageV2", schemas.sendSchema],
  ["api.TypingIndicatorRequest", schemas.typingSchema],
  ["api.Receipt", schemas.receiptSchema],
  ["api.SendReactionRequest", schemas.reactionSchema],
  ["api.RemoveReactionRequest", schemas.removeReactionSchema],
  ["api.RemoteDeleteRequest", schemas.remoteDeleteSchema],
  ["api.UpdateContactRequest", schemas.contactSchema],
  ["api.TrustIdentityRequest", schemas.trustSchema],
  ["api.TrustModeRequest", schemas.trustModeSchema],
  ["api.RateLimitChallengeRequest", schemas.challengeSchema],
  ["api.UpdateAccountSettingsRequest", schemas.settingsSchema],
  ["api.SetUsernameRequest", schemas.usernameSchema],
  ["api.UpdateProfileRequest", schemas.profileSchema],
  ["api.RegisterNumberRequest", schemas.registerSchema],
  ["api.VerifyNumberSettings", schemas.verifySchema],
];

describe("the schemas of requests", () => {
  it("refuse what they do not know", () => {
    const message = { number: "+15550000001", recipients: ["+15550000002"], message: "hello" };
    expect(schemas.sendSchema.safeParse(message).success).toBe(true);
    expect(schemas.sendSchema.safeParse({ ...message, text: "hello" }).success).toBe(false);
    expect(schemas.sendSchema.safeParse({ ...message, quote_timestamp: "1767225600000" }).success).toBe(false);
    expect(schemas.sendSchema.safeParse({ ...message, text_mode: "markdown" }).success).toBe(false);
  });

  it("are all compared here", () => {
    const all = Object.entries(schemas).filter(([name]) => name.endsWith("Schema"));
    expect(all.map(([, schema]) => schema)).toEqual(named.map(([, schema]) => schema));
  });

  describe.skipIf(!swagger)("of the swagger (skipped without ../shared/fixtures/signal)", () => {
    const definitions = () =>
      (JSON.parse(readFileSync(swagger!, "utf8")) as { definitions: Record<string, Schema> }).definitions;

    it("has every path of the REST API, by the same method", () => {
      const { paths } = JSON.parse(readFileSync(swagger!, "utf8")) as {
        paths: Record<string, Record<string, unknown>>;
      };
      const known = new Set(
        Object.entries(paths).flatMap(([path, methods]) =>
          Object.keys(methods).map((method) => withoutNames(`${method.toUpperCase()} ${path}`)),
        ),
      );
      const ours = ownRoutes();
      expect(ours.length).toBeGreaterThan(30);
      expect(ours.filter((route) => !known.has(route))).toEqual([]);
    });

    it.each(named)("are these: %s", (definition, schema) => {
      const ours = z.toJSONSchema(schema, { io: "input" }) as Schema;
      expect(shapeOf(ours, {})).toEqual(shapeOf(definitions()[definition]!, definitions()));
    });
  });
});

function ownRoutes(): string[] {
  const [state, faults, clock, log, mode] = [
    new StateFile(),
    new Faults(),
    systemClock,
    silentLog,
    "json-rpc" as const,
  ];
  using world = new World({ state, account: number, clock });
  const emit = (): never => {
    throw new Error("Nothing is sent here.");
  };
  const { mailbox } = world;
  using host = new Host({ mode, mailbox, post: undefined, faults, clock, log, emit, restartAfterMs: undefined });
  const registration = new Registration(state, number, true);
  const common = { world, state, registration, faults, mode, log, host };
  const routes = createRestApi({ ...common, answerForm: "object", receipts: false }).routes.filter(
    ({ method }) => method !== "ALL",
  );
  return routes.map(({ method, path }) => withoutNames(`${method} ${path}`));
}

/** Names and types of fields, as deep as they go. That a type of receipt is one of two is told in words of the server's own. */
function shapeOf(schema: Schema, definitions: Readonly<Record<string, Schema>>): unknown {
  if (schema.$ref !== undefined) return shapeOf(definitions[schema.$ref.replace("#/definitions/", "")]!, definitions);
  if (schema.items) return [shapeOf(schema.items, definitions)];
  if (!schema.properties) return schema.type ?? "string";
  const fields = Object.entries(schema.properties).toSorted(([one], [other]) => one.localeCompare(other));
  return Object.fromEntries(fields.map(([name, field]) => [name, shapeOf(field, definitions)]));
}
