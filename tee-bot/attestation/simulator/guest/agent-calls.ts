/** The calls of dstack's guest agent (agent_rpc.proto, service DstackGuest), of either generation. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { AgentError } from "./agent-error.ts";
import { bytes, call, flag, hex, seconds, text, texts, type Call, type Calls } from "./call.ts";
import { traits } from "./generation.ts";
import type { Guest } from "./guest.ts";
import { infoOf } from "./info.ts";
import { encodeAttestation } from "./scale.ts";
import { keyKindOf, signWith, verifyWith } from "./signing.ts";

const seedBytes = 32;

const tlsKeySchema = z.object({
  subject: text,
  alt_names: texts,
  usage_ra_tls: flag,
  usage_server_auth: flag,
  usage_client_auth: flag,
  not_before: seconds,
  not_after: seconds,
  with_app_info: flag,
});
const keySchema = z.object({ path: text, purpose: text, algorithm: text });
const reportSchema = z.object({ report_data: bytes });
const nothing = z.unknown();

export function agentCalls(guest: Guest): Calls {
  const { machine, keys } = guest;
  const { version, emitsEvents, knowsGpus } = traits[machine.generation];

  const common: Record<string, Call> = {
    GetTlsKey: call(tlsKeySchema, (request) => {
      if (request.with_app_info) throw new AgentError("This simulator puts no app info into certificates");
      return guest.tlsKey(randomBytes(seedBytes), "", {
        subject: request.subject,
        altNames: request.alt_names,
        raTls: request.usage_ra_tls,
        serverAuth: request.usage_server_auth,
        clientAuth: request.usage_client_auth,
        notBefore: request.not_before,
        notAfter: request.not_after,
      });
    }),
    GetKey: call(keySchema, ({ path, purpose, algorithm }) => {
      const { key, signatureChain } = keys.derive(path, purpose, keyKindOf(algorithm));
      return { key: hex(key), signature_chain: signatureChain.map(hex) };
    }),
    GetQuote: call(reportSchema, async ({ report_data }) => {
      const { quote, reportData, eventLog } = await guest.quote(report_data);
      return {
        quote: hex(quote),
        event_log: eventLog,
        report_data: hex(reportData),
        vm_config: machine.vmConfig,
      };
    }),
    Attest: call(reportSchema, async ({ report_data }) => {
      const { quote, reportData } = await guest.quote(report_data);
      const config = machine.vmConfig;
      return { attestation: hex(encodeAttestation({ quote, events: machine.events, reportData, config })) };
    }),
    Info: call(nothing, () => infoOf(machine)),
    Sign: call(z.object({ algorithm: text, data: bytes }), ({ algorithm, data }) => {
      const { signature, signatureChain, publicKey } = signWith(keys, algorithm, data);
      return {
        signature: hex(signature),
        signature_chain: signatureChain.map(hex),
        public_key: hex(publicKey),
      };
    }),
    Verify: call(
      z.object({ algorithm: text, data: bytes, signature: bytes, public_key: bytes }),
      ({ algorithm, data, signature, public_key }) => ({ valid: verifyWith(algorithm, data, signature, public_key) }),
    ),
    Version: call(nothing, () => ({ version, rev: "simulator" })),
  };
  const emitEvent = call(z.object({ event: text, payload: bytes }), ({ event, payload }) => {
    machine.emit(event, payload);
    return undefined;
  });
  // No graphics processor is there, of which the original says an empty text.
  const gpuInfo = call(nothing, () => ({ attestation: "" }));
  return new Map([
    ...Object.entries(common),
    ...(emitsEvents ? [["EmitEvent", emitEvent] as const] : []),
    ...(knowsGpus ? [["GpuInfo", gpuInfo] as const] : []),
  ]);
}
