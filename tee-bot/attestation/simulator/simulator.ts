/**
 * A confidential VM that is none: a guest agent on a Unix socket, and the service that has the collateral to its quotes.
 * It lets everything run that needs a TEE, and proves nothing; its answers, its quotes and its certificates say so.
 */
import { join } from "node:path";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { defaultGeneration, defaultQuoteMs } from "./defaults.ts";
import { defaultCompose } from "./default-compose.ts";
import { agentCalls } from "./guest/agent-calls.ts";
import { createAgentServer } from "./guest/agent-server.ts";
import type { EventVersion } from "./guest/events.ts";
import { noFaults, type Faults } from "./guest/faults.ts";
import type { Generation } from "./guest/generation.ts";
import { Guest } from "./guest/guest.ts";
import { listenOnSocket } from "./guest/socket-file.ts";
import { readOrCreateKeyProvider } from "./guest/key-provider.ts";
import { Machine } from "./guest/machine.ts";
import { tappdCalls } from "./guest/tappd-calls.ts";
import { workerCalls } from "./guest/worker-calls.ts";
import { listenOnLoopback } from "./loopback-server.ts";
import { startPcsServer } from "./pcs/pcs-server.ts";
import { publicKeyOf } from "./pki/authority.ts";
import type { CollateralOptions } from "./pki/collateral.ts";
import { rootFileName } from "./pki/material-file.ts";
import { openSimulatorPki, type SimulatorPki } from "./pki.ts";

export interface SimulatorOptions {
  /** Keys and the root are kept in its folder `simulator`: the same state is the same machine. */
  readonly state: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: `simulator/dstack.sock` in the state. */
  readonly socket?: string | undefined;
  /** Of the legacy agent; without it there is none. */
  readonly tappdSocket?: string | undefined;
  /** Of what the machine tells anybody, on loopback; without it nothing is told. */
  readonly workerPort?: number | undefined;
  readonly generation?: Generation | undefined;
  /** The exact text of the application's compose file. */
  readonly compose?: string | undefined;
  readonly eventVersion?: EventVersion | undefined;
  /** For the collateral, on loopback; 0: any. */
  readonly pcsPort?: number | undefined;
  readonly quoteMs?: number | undefined;
}

export interface Simulator extends AsyncDisposable {
  readonly socket: string;
  readonly tappdSocket: string | undefined;
  /** URL of what the machine tells anybody. */
  readonly worker: string | undefined;
  /** File of the root certificate, PEM. */
  readonly root: string;
  /** Base URL of the collateral. */
  readonly pcs: string;
  readonly generation: Generation;
  readonly composeHash: string;
  /** Compressed secp256k1, hex: the root that signs for applications' keys. */
  readonly keyProvider: string;
  readonly pki: SimulatorPki;
  /** To be changed while it runs. */
  readonly faults: Faults;
  /** What the collateral says from now on. */
  setCollateral(options: Omit<CollateralOptions, "now">): void;
}

const folderName = "simulator";
const socketName = "dstack.sock";

export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { state, clock, log, generation = defaultGeneration, compose = defaultCompose, eventVersion = 1 } = options;
  const folder = join(state, folderName);
  const { socket = join(folder, socketName), tappdSocket, workerPort } = options;
  const pki = await openSimulatorPki(folder, clock.now());
  const keyProvider = await readOrCreateKeyProvider(folder, clock.now());
  const keyProviderSpki = publicKeyOf(keyProvider.ca.key).export({ type: "spki", format: "der" });
  const { instanceSeed } = keyProvider;
  const machine = new Machine({ generation, compose, eventVersion, keyProviderSpki, instanceSeed });
  const faults: Faults = { ...noFaults };
  const quoteMs = options.quoteMs ?? defaultQuoteMs;
  const guest = new Guest({ machine, pki, keyProvider, clock, quoteMs, faults });
  let said: Omit<CollateralOptions, "now"> = {};

  await using parts = new AsyncDisposableStack();
  const common = { faults, clock, log };
  const agent = createAgentServer({ ...common, prefix: "/", calls: agentCalls(guest) });
  parts.use(await listenOnSocket(agent, socket));
  if (tappdSocket !== undefined) {
    const tappd = createAgentServer({ ...common, prefix: "/prpc/Tappd.", calls: tappdCalls(guest) });
    parts.use(await listenOnSocket(tappd, tappdSocket));
  }
  const outside = createAgentServer({ ...common, prefix: "/prpc/Worker.", calls: workerCalls(guest) });
  const worker = workerPort === undefined ? undefined : parts.use(await listenOnLoopback(outside, workerPort));
  const pcs = parts.use(await startPcsServer({ pki, port: options.pcsPort ?? 0, clock, log, collateral: () => said }));
  const running = parts.move();
  return {
    socket,
    tappdSocket,
    worker: worker?.url,
    root: join(folder, rootFileName),
    pcs: pcs.url,
    generation,
    composeHash: machine.composeHash.toString("hex"),
    keyProvider: Buffer.from(guest.keys.rootPublicKey).toString("hex"),
    pki,
    faults,
    setCollateral: (collateral) => {
      said = collateral;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
