import { copyFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { AppError } from "../../shared/errors.ts";
import {
  identityOfPem,
  readKeyFile,
  readOrCreateIdentity,
  saveIdentityPem,
  type Identity,
} from "../../shared/nodejs/identity-file.ts";
import { labelOfNodeId } from "../../shared/registry/node-id.ts";
import { filesIn } from "../config.ts";
import { CliError } from "./failure.ts";

const maxKeyBytes = 4_096;

/** `postern id`: who this node is. Makes the key when there is none. */
export async function showIdentity(state: string): Promise<string> {
  const { id, created } = await readOrCreateIdentity(filesIn(state).identity, Date.now());
  return `${id}\n  name   ${labelOfNodeId(id)}.<zone>\n  key    ${filesIn(state).identity}${created ? "  (new)" : ""}\n`;
}

/** `postern id export FILE`: a copy of the private key, readable by its owner only. */
export async function exportIdentity(state: string, file: string): Promise<string> {
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
