import { dirname, resolve } from "node:path";
import type { SignalSettings } from "../bot/settings.ts";
import type { EmbeddedModelSettings, GatewaySettings, ProviderSettings } from "../gateway/settings.ts";
import type { InboxSettings } from "../inbox/settings.ts";
import { readSettings, type ReadSettings, type Requirement } from "./read-settings.ts";
import { findSettingsFile, nameOf, readSettingsFile } from "./settings-file.ts";

/** Reads the file that the environment leads to, under that environment. Throws {@link AppError} when it cannot be read. */
export function loadSettings(environment: NodeJS.ProcessEnv, required: readonly Requirement[] = []): ReadSettings {
  const file = findSettingsFile(environment);
  const read = readSettings({ name: nameOf(file), text: readSettingsFile(file) }, environment, required);
  if (!read.ok) return read;
  const { settings } = read.effective;
  const directory = dirname(file.path);
  const gateway = fromDirectory(settings.gateway, directory);
  const inbox = { hooks: withSecretFiles(settings.inbox.hooks, directory) };
  const { socket } = settings.attestation;
  const attestation = { ...settings.attestation, ...(socket !== undefined && { socket: resolve(directory, socket) }) };
  const signal = signalFromDirectory(settings.signal, directory);
  return { ok: true, effective: { ...read.effective, settings: { ...settings, attestation, gateway, signal, inbox } } };
}

/** Paths in the file begin where the file is, wherever the node was started. */
function fromDirectory(gateway: GatewaySettings, directory: string): GatewaySettings {
  const withKeyFile = (one: ProviderSettings): ProviderSettings =>
    one.keyFile === undefined ? one : { ...one, keyFile: resolve(directory, one.keyFile) };
  const withPath = (one: EmbeddedModelSettings): EmbeddedModelSettings => ({
    ...one,
    path: resolve(directory, one.path),
  });
  const { providers, embedded } = gateway;
  return {
    ...gateway,
    providers: providers.map(withKeyFile),
    embedded: { ...embedded, models: embedded.models.map(withPath) },
  };
}

function withSecretFiles(hooks: InboxSettings["hooks"], directory: string): InboxSettings["hooks"] {
  const resolved = Object.entries(hooks).map(([name, { secretFile, ...hook }]) => [
    name,
    secretFile === undefined ? hook : { ...hook, secretFile: resolve(directory, secretFile) },
  ]);
  return Object.fromEntries(resolved) as InboxSettings["hooks"];
}

function signalFromDirectory(signal: SignalSettings, directory: string): SignalSettings {
  const { secretFile } = signal.receive;
  const { keyFile } = signal.transcriber;
  return {
    ...signal,
    receive: { ...signal.receive, ...(secretFile !== undefined && { secretFile: resolve(directory, secretFile) }) },
    transcriber: { ...signal.transcriber, ...(keyFile !== undefined && { keyFile: resolve(directory, keyFile) }) },
  };
}
