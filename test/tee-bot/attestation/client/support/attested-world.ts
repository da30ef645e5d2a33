/** A machine of the simulator and a node on it that serves its evidence, with what a verifier of both needs. */
import { randomBytes } from "node:crypto";
import type { Evidence, QuoteEvidence } from "../../../../../shared/attestation/evidence.ts";
import type { Keyset } from "../../../../../shared/attestation/keyset.ts";
import { Machine } from "../../../../../tee-bot/attestation/simulator/guest/machine.ts";
import { createSimulatorPki, type SimulatorPki } from "../../../../../tee-bot/attestation/simulator/pki.ts";
import { parseNodeAddress } from "../../../../../tee-bot/attestation/client/observe/parse-address.ts";
import type { VerifyNodeOptions } from "../../../../../tee-bot/attestation/client/verify-node.ts";
import { createTestCertificate, type TestCertificate } from "../../../../support/certificate.ts";
import { startAttestedServer, type AttestedServer } from "./attested-server.ts";

export const hostname = "demo.postern.localhost";
const image = `registry.example/node@sha256:${"cd".repeat(32)}`;
export const compose = JSON.stringify({
  manifest_version: 2,
  name: "node",
  runner: "docker-compose",
  docker_compose_file: `services:\n  node:\n    image: ${image}\n`,
});

export interface AttestedWorld extends AsyncDisposable {
  readonly pki: SimulatorPki;
  readonly machine: Machine;
  readonly certificate: TestCertificate;
  readonly server: AttestedServer;
  readonly quote: (reportData: Uint8Array) => QuoteEvidence;
  /** How the node is verified by somebody who named the simulator's root; `port` is where the connection leads. */
  verifier(port?: number): VerifyNodeOptions;
}

export interface WorldOptions {
  readonly hostname?: string;
  readonly keyset?: Partial<Keyset>;
  /** Milliseconds since 1970; undefined: it shows none. */
  readonly collateralOf?: number | undefined;
}

export async function startAttestedWorld(options: WorldOptions = {}): Promise<AttestedWorld> {
  const { hostname: name = hostname, keyset } = options;
  const now = Date.now();
  const pki = await createSimulatorPki({ now });
  const machine = new Machine({
    generation: "0.6",
    compose,
    eventVersion: 1,
    keyProviderSpki: randomBytes(91),
    instanceSeed: randomBytes(32),
  });
  const certificate = await createTestCertificate({ hostnames: [name] });
  const quote = (reportData: Uint8Array): QuoteEvidence => ({
    quote: Buffer.from(pki.signQuote({ ...machine.measurements, reportData })).toString("hex"),
    event_log: machine.eventLog,
    app_compose: machine.compose,
    vm_config: machine.vmConfig,
  });
  const signedAt = "collateralOf" in options ? options.collateralOf : now;
  const collateral: Evidence["collateral"] =
    signedAt === undefined
      ? undefined
      : {
          retrieved_at: Math.floor(signedAt / 1000),
          source: "https://pccs.example",
          documents: await pki.createCollateral({ now: signedAt }),
        };
  const server = await startAttestedServer({
    certificate,
    domain: name,
    quote,
    ...(collateral && { collateral }),
    ...(keyset && { keyset }),
  });
  return {
    pki,
    machine,
    certificate,
    server,
    quote,
    verifier: (port = server.port) => ({
      address: parseNodeAddress(name, `127.0.0.1:${port}`),
      roots: [certificate.certificate],
      trust: { root: pki.root, simulated: true },
    }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
