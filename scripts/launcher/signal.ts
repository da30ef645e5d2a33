/** The simulated Signal of `npm start`: where its parts listen, and what the node is told of them. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";

export interface SimulatedSignal {
  /** Of the stand-in, the page and the people API. */
  readonly url: string;
  /** The bot's part of the node's settings, which the receiver has as well. */
  readonly vars: Readonly<Record<string, string>>;
  /** Arguments of `postern`. */
  readonly simulate: readonly string[];
  /** What the simulator alone is told: the webhook with its password, which no list of processes shows. */
  readonly simulateVars: Readonly<Record<string, string>>;
}

/** A number that is kept for fiction. */
const account = "+15550000001";
const secretBytes = 32;

export function planSignal({
  state,
  ports,
}: {
  /** Of the launcher. */
  state: string;
  ports: { signal: number; hook: number };
}): SimulatedSignal {
  const url = `http://127.0.0.1:${ports.signal}`;
  const secretFile = join(state, "signal-hook.secret");
  const secret = readOrCreateSecret(secretFile);
  return {
    url,
    vars: {
      POSTERN_SIGNAL_API: url,
      POSTERN_SIGNAL_ACCOUNT: account,
      POSTERN_SIGNAL_RECEIVE_BY: "own-process",
      POSTERN_SIGNAL_RECEIVE_PORT: String(ports.hook),
      POSTERN_SIGNAL_RECEIVE_SECRET_FILE: secretFile,
    },
    simulate: ["signal", "simulate", "--port", String(ports.signal), "--account", account, "--state", state],
    simulateVars: { POSTERN_SIMULATOR_HOOK: `http://postern:${secret}@127.0.0.1:${ports.hook}/hooks/signal` },
  };
}

/** The same at each start, so that a restart of one of the two goes on with the other. */
function readOrCreateSecret(path: string): string {
  if (existsSync(path)) return readFileSync(path, "utf8").trim();
  const secret = randomBytes(secretBytes).toString("base64url");
  writeFileAtomic(path, `${secret}\n`, 0o600);
  return secret;
}
