import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe } from "vitest";
import { describeProvider } from "../../dns/provider-behaviour.ts";
import { zone } from "../support/constants.ts";
import { createMemoryProvider } from "../../../workers/dns/memory-provider.ts";

describe("a zone in memory", () => {
  describeProvider((check) =>
    runInDurableObject(env.ZONES.get(env.ZONES.newUniqueId()), (_, { storage }) => {
      const transaction = <T>(write: () => T): T => storage.transactionSync(write);
      return check({ provider: createMemoryProvider({ sql: storage.sql, transaction }), zone });
    }),
  );
});
