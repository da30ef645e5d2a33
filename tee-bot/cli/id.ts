import { copyFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { systemClock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import { silentLog } from "../../shared/log.ts";
import {
  identityOfPem,
  readKeyFile,
  readOrCreateIdentity,
  saveIdentityPem,
  type Identity,
} from "../../shared/nodejs/identity-file.ts";
import { labelOfNodeId, parseNodeId, type NodeId } from "../../shared/registry/node-id.ts";
import type { TeeContext } from "../attestation/attestation.ts";
import { teeIdentity } from "../attestation/keys/node-keys.ts";
import { openTee } from "../attestation/open-tee.ts";
import { filesIn } from "../config.ts";
import { loadSettings } from "../settings/load-settings.ts";
import { askStatus } from "./control-client.ts";
import { CliError } from "./failure.ts";

const maxKeyBytes = 4_096;

/** `postern id`: who this node is. Makes the key when there is none, and no TEE that has it. */
export async function showIdentity(state: string): Promise<string> {
  const inTee = await findInTee(state);
  if (inTee) return formatIdentity(inTee.id, teeWords[inTee.tee]);
  const { id, created } = await readOrCreateIdentity(filesIn(state).identity, Date.now());
  return formatIdentity(id, `${filesIn(state).identity}${created ? "  (new)" : ""}`);
}

const teeWords = { dstack: "in the TEE (dstack)", simulated: "in a SIMULATED TEE, which proves nothing" } as const;

function formatIdentity(id: NodeId, key: string): string {
  return `${id}\n  name   ${labelOfNodeId(id)}.<zone>\n  key    ${key}\n`;
}

/** `postern id export FILE`: a copy of the private key, readable by its owner only. */
export async function exportIdentity(state: string, file: string): Promise<string> {
  await refuseInTee(state, "Nothing was exported.");
  const path = filesIn(state).identity;
  const pem = readKeyFile(path);
  if (pem === undefined)
    throw new CliError({
      what: "Nothing was exported.",
      why: `There is no key at ${path}.`,
      remedy: "Make one with: postern id",
    });
  if (existsSync(file))
    throw new CliError({
      what: "Nothing was exported.",
      why: `${file} exists already.`,
      remedy: "Name a file that does not exist yet.",
    });
  const { id } = await identityOfPem(pem, Date.now());
  saveIdentityPem(file, pem);
  return `The key of ${id} is in ${file}. Whoever has this file is the node.\n`;
}

/** `postern id import FILE`: from now on this node is the one whose key is in the file. The key before is kept beside. */
export async function importIdentity(state: string, file: string, replace: boolean): Promise<string> {
  await refuseInTee(state, "Nothing was imported.");
  const identity = await readImport(file);
  const path = filesIn(state).identity;
  let kept = "";
  if (existsSync(path)) {
    if (!replace)
      throw new CliError({
        what: "Nothing was imported.",
        why: `${path} holds a key already; replacing it gives up the names of that key.`,
        remedy: "Add --replace if you mean it; the present key is then kept beside the new one.",
      });
    kept = `${path}.${new Date().toISOString().replaceAll(":", "-")}.old`;
    copyFileSync(path, kept); // with its mode; the new key then takes its place at once or not at all
  }
  saveIdentityPem(path, identity.privateKeyPem);
  return `This node is now ${identity.id}.${kept && ` The key before is in ${kept}.`} Restart it if it runs.\n`;
}

function readImport(file: string): Promise<Identity> {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats?.isFile()) throw new AppError("not-found", `There is no file ${file}.`);
  if (stats.size > maxKeyBytes) throw new AppError("too-large", `${file} is no key file: it has ${stats.size} bytes.`);
  return identityOfPem(readFileSync(file, "utf8"), Date.now());
}

interface InTee {
  readonly id: NodeId;
  readonly tee: TeeContext["tee"];
}

/** Who the node is where its key is in a TEE: as the one that runs says, else as the settings of its state lead to. */
async function findInTee(state: string): Promise<InTee | undefined> {
  const running = existsSync(filesIn(state).control) ? await askStatus(state).catch(() => undefined) : undefined;
  if (running) return running.tee === "none" ? undefined : { id: parseNodeId(running.node), tee: running.tee };
  const env = { ...process.env, POSTERN_STATE: state };
  const read = loadSettings(env);
  if (!read.ok) throw new AppError("bad-request", `Some settings cannot be used.\n${read.mistakes.join("\n")}`);
  const tee = await openTee({ settings: read.effective.settings.attestation, env, clock: systemClock, log: silentLog });
  return tee.tee === "none" ? undefined : { id: (await teeIdentity(tee, Date.now())).id, tee: tee.tee };
}

async function refuseInTee(state: string, what: string): Promise<void> {
  if (!(await findInTee(state))) return;
  throw new CliError({
    what,
    why: "This node runs in a TEE, whose key never leaves it and can be replaced by no file.",
    remedy: "To be the node of a file, set attestation.tee to off; others then see that it runs in no TEE.",
  });
}
