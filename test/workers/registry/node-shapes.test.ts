import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { OrderStore } from "../../../workers/certificate/order-store.ts";
import { nodeShapes } from "../../../workers/registry/node-composition.ts";
import { migrate } from "../../../workers/storage/tables.ts";

test("a node's certificate of the first shape is still known in today's", () =>
  runInDurableObject(env.HUBS.get(env.HUBS.newUniqueId()), (_, { storage: { sql } }) => {
    sql.exec("DROP TABLE shape; DROP TABLE nonces"); // a hub's
    migrate(sql, nodeShapes.slice(0, 1));
    sql.exec(
      "INSERT INTO orders VALUES ('1', 1, 'digest', x'3000', '[\"a.test\"]', 'valid', '', 0, NULL, 'PEM', 10, 20, NULL)",
    );
    migrate(sql, nodeShapes);
    expect(new OrderStore(sql).all()).toEqual([
      expect.objectContaining({
        id: "1",
        purpose: "serve",
        status: "valid",
        hostnames: ["a.test"],
        certificate: "PEM",
        notBefore: 10,
        notAfter: 20,
        createdAt: 0,
        trouble: undefined,
      }),
    ]);
  }));
