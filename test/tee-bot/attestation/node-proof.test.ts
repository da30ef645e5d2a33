import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer as createTlsServer, type ConnectionOptions } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import type { Registration } from "../../../shared/registry/messages.ts";
import { refreshIntervalMs } from "../../../tee-bot/attestation/collateral/decide-refresh.ts";
import { KnownAccounts } from "../../../tee-bot/certificate/known-accounts.ts";
import { parseTarget } from "../../../tee-bot/expose/target.ts";
import { issue } from "../../support/ct-certificates.ts";
import { startCtLog } from "../../support/ct-log.ts";
import { createTestCertificate } from "../../support/certificate.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { provenHost, startProvenName, type ProvenName, type ProvenNameOptions } from "./support/proven-name.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const start = async (options?: ProvenNameOptions): Promise<ProvenName> => stack.use(await startProvenName(options));

/** Until the proof stands so; time passes by a minute with each look, so that whoever waits to try again does. */
async function untilStanding(name: ProvenName, state: string, clock?: ManualClock): Promise<void> {
  const look = (): string => {
    const standing = JSON.stringify(name.proof.standing);
    if (!standing.startsWith(`{"state":"${state}"`)) clock?.advance(60_000);
    return standing;
  };
  await expect.poll(look, { timeout: 15_000 }).toContain(`{"state":"${state}"`);
}

const alert = "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR";
const dialFails = async (name: ProvenName, options?: ConnectionOptions): Promise<string> =>
  await name.dial(options).then(
    (socket) => {
      socket.destroy();
      return "it was let in";
    },
    (error: NodeJS.ErrnoException) => error.code ?? "",
  );

describe("a node that must prove itself", () => {
  it("shows no certificate until its own verifier accepts a quote that names the key", async () => {
    const name = await start({ required: true, simulator: { quoteMs: 300 } });
    expect(name.proof.step.ok).toBe(false);
    expect(await dialFails(name)).toBe(alert);
    await untilStanding(name, "good");
    expect(name.proof.step).toMatchObject({ ok: true, detail: expect.stringContaining("SIMULATED") as string });
    expect((await name.ask("/")).body).toBe("the gateway");
  });

  it("lets nobody new in when its platform falls out of the policy, keeps who is there, and recovers by itself", async () => {
    const clock = new ManualClock();
    const name = await start({ required: true, clock });
    await untilStanding(name, "good");
    const here = await name.dial();
    name.simulator.setCollateral({ status: "OutOfDate" });
    clock.advance(refreshIntervalMs);
    await untilStanding(name, "bad");
    const [trouble] = name.proof.troubles;
    expect(trouble?.detail).toMatch(/"tcb-status".*OutOfDate/);
    expect(trouble?.remedy).toContain("firmware");
    expect(name.proof.step.ok).toBe(false);
    expect(await dialFails(name)).toBe(alert);
    expect((await name.ask("/", { socket: here })).body).toBe("the gateway");
    name.simulator.setCollateral({});
    clock.advance(refreshIntervalMs);
    await untilStanding(name, "good", clock);
    expect(name.proof.troubles).toEqual([]);
    (await name.dial()).destroy();
  });

  it("lets nobody in when the guest agent makes no quotes any more, which the first visitor who asks brings to light", async () => {
    const clock = new ManualClock();
    const name = await start({ required: true, clock });
    await untilStanding(name, "good");
    const here = await name.dial();
    name.simulator.faults.withoutQuotes = true;
    const path = `/v1/aci/attestation?nonce=${"00".repeat(32)}`;
    expect((await name.ask(path, { socket: here })).status).toBe(502);
    await untilStanding(name, "bad");
    expect(await dialFails(name)).toBe(alert);
    name.simulator.faults.withoutQuotes = false;
    await untilStanding(name, "good", clock);
    expect((await name.ask("/")).body).toBe("the gateway");
  });

  it("serves on the collateral it has while none can be fetched, until the moment it ends", async () => {
    const clock = new ManualClock();
    const name = await start({ required: true, clock, collateral: { validMs: 2 * refreshIntervalMs } });
    await untilStanding(name, "good");
    name.network.up = false;
    clock.advance(refreshIntervalMs);
    await expect.poll(() => name.proof.troubles[0]?.remedy).toContain("attestation.collateral");
    expect(name.proof.standing.state).toBe("good");
    (await name.dial()).destroy();
    clock.advance(refreshIntervalMs + 2_000);
    await untilStanding(name, "bad");
    expect(name.proof.troubles[0]?.detail).toContain('"collateral"');
    expect(await dialFails(name)).toBe(alert);
    name.network.up = true;
    await untilStanding(name, "good", clock);
    (await name.dial()).destroy();
  });

  it("does not hand TLS on to another server, whose key it could not attest", async () => {
    const name = await start({ required: true });
    const other = await createTestCertificate({ hostnames: [provenHost] });
    const server = createTlsServer({ cert: other.certificate, key: other.key }).listen(0, "127.0.0.1");
    stack.defer(() => void server.close());
    await once(server, "listening");
    const elsewhere = parseTarget(`tls://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(() => name.exposure.expose(elsewhere)).toThrow(expect.objectContaining({ code: "forbidden" }) as Error);
    const stored = await start({ required: true, target: elsewhere });
    await untilStanding(stored, "good");
    expect(await dialFails(stored, { rejectUnauthorized: false })).toBe(alert);
  });
});

describe("a node that shows evidence of its own accord", () => {
  it("is served whatever that is worth, and tells its operator at once", async () => {
    const name = await start({ collateral: { moduleStatus: "OutOfDate" } });
    (await name.dial()).destroy();
    await untilStanding(name, "bad");
    expect(name.proof.troubles).toHaveLength(1);
    expect(name.proof.step.ok).toBe(true);
    expect(name.log.events).toContainEqual(expect.objectContaining({ level: "warn", event: "evidence.refused" }));
    (await name.dial()).destroy();
  });

  it("names the accounts of the edge, and still does after a start without it", async () => {
    const name = await start();
    const registration = { hostnames: [provenHost], zone: "proven.test" } as unknown as Registration;
    const accounts = async (): Promise<unknown> => {
      const { body } = await name.ask("/v1/aci/attestation");
      return (JSON.parse(body) as { attestation: { workload_keyset: { acme_accounts: unknown } } }).attestation
        .workload_keyset.acme_accounts;
    };
    expect(await accounts()).toEqual([]);
    name.proof.follow(registration, ["https://ca.test/acct/1"]);
    expect(await accounts()).toEqual(["https://ca.test/acct/1"]);
    name.proof.follow(registration);
    expect(await accounts()).toEqual(["https://ca.test/acct/1"]);
    const kept = new KnownAccounts({ path: name.files.edgeAccounts, log: name.log });
    expect(kept.current).toEqual(["https://ca.test/acct/1"]);
  });

  it("attests another keyset from the moment its names change", async () => {
    const name = await start();
    await untilStanding(name, "good");
    const digest = async (): Promise<unknown> => (await name.ask("/v1/aci/attestation")).headers["x-aci-keyset-digest"];
    const before = await digest();
    const names = { hostnames: [provenHost, "alias.proven.test"], zone: "proven.test" } as unknown as Registration;
    name.proof.follow(names);
    expect(await digest()).not.toBe(before);
    name.proof.follow(names);
    await untilStanding(name, "good");
  });
});

describe("a node that watches the logs of certificates", () => {
  it.each([true, false])(
    "has a trouble when one comes up with a key that is not its own (outside a TEE: %s)",
    async (absent) => {
      const log = stack.use(await startCtLog());
      const clock = new ManualClock();
      const name = await start({ absent, clock, logs: [`${log.url}/#${log.key}`] });
      const reads = (): number => name.log.events.filter(({ event }) => event === "log.read").length;
      const round = async (): Promise<void> => {
        const before = reads();
        await expect.poll(() => (clock.advance(60_000), reads()), { timeout: 15_000 }).toBeGreaterThan(before);
      };
      await round();
      log.add({ der: name.leaf.raw });
      await round();
      await round();
      expect(name.log.events.some(({ event }) => event === "certificate.expected")).toBe(true);
      log.add((await issue([provenHost])).precertificate);
      await round();
      await round();
      const details = name.proof.troubles.map(({ detail }) => detail);
      expect(details).toContainEqual(expect.stringContaining(`A public log has a certificate for ${provenHost}`));
    },
  );
});
