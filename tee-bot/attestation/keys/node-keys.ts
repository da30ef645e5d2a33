/**
 * The keys by which a node is itself: files of the state directory, or, in a TEE, derived there at each start and never
 * written. Instances of one application in one key provider's care have the same keys, so they are the same node.
 */
import { existsSync } from "node:fs";
import type { Log } from "../../../shared/log.ts";
import { identityOfPem, readOrCreateIdentity, type Identity } from "../../../shared/nodejs/identity-file.ts";
import { readOrCreateTlsKey, tlsKeyOfPem, type TlsKey } from "../../certificate/tls-key.ts";
import type { NodeFiles } from "../../config.ts";
import { readOrCreateInboxKey } from "../../inbox/inbox-key.ts";
import type { TeeContext, TeeState } from "../attestation.ts";
import { edwardsPem, p256Pem } from "./key-forms.ts";

export interface NodeKeys {
  readonly identity: Identity;
  readonly tls: TlsKey;
  /** PEM; made when it is first asked for, where a file has it. */
  readonly acmeAccount: () => string;
  /** PEM of the X25519 key that the edge's inbox seals to; made when it is first asked for. */
  readonly inbox: () => Promise<string>;
}

export interface NodeKeysOptions {
  readonly files: NodeFiles;
  readonly now: number;
  readonly log: Log;
}

/** Throws {@link AppError}: a key file that others can read, a guest agent that does not answer. */
export async function openNodeKeys(tee: TeeState, { files, now, log }: NodeKeysOptions): Promise<NodeKeys> {
  if (tee.tee === "none")
    return {
      identity: await readOrCreateIdentity(files.identity, now),
      tls: readOrCreateTlsKey(files.tlsKey),
      acmeAccount: () => readOrCreateTlsKey(files.acmeKey).pem,
      inbox: () => Promise.resolve(readOrCreateInboxKey(files.inboxKey)),
    };
  for (const path of [files.identity, files.tlsKey, files.acmeKey, files.inboxKey])
    if (existsSync(path)) log.warn("key.ignored", { path, why: "in a TEE the keys come from it" });
  const acmeAccount = p256Pem(await tee.keys.derive("acme-account"));
  return {
    identity: await teeIdentity(tee, now),
    tls: tlsKeyOfPem(p256Pem(await tee.keys.derive("tls")), "the TEE's TLS key"),
    acmeAccount: () => acmeAccount,
    inbox: async () => edwardsPem("x25519", await tee.keys.derive("inbox")),
  };
}

/** Who a node is in this TEE. */
export async function teeIdentity({ keys }: TeeContext, now: number): Promise<Identity> {
  return identityOfPem(edwardsPem("ed25519", await keys.derive("identity")), now);
}
