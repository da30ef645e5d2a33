/** The part of the control API that is the TEE's: for programs on this machine that hold the token. */
import { Hono } from "hono";
import { z } from "zod";
import { AppError } from "../../shared/errors.ts";
import { toHex } from "../../shared/hex.ts";
import type { TeeContext, TeeState } from "../attestation/attestation.ts";
import { keyAlgorithms } from "../attestation/dstack/guest-agent.ts";
import { callerFormula, signatureFormula, TeeNamespace } from "../attestation/namespace.ts";
import { readJson } from "./read-json.ts";

/** Whose keys these are: whoever holds the token of the control file. */
const namespace = "control";

/** Of what a caller sends to be signed or bound. */
const maxDataBytes = 4_096;
const maxEventLength = 64;

const bytes = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{2})*$/, "must be hex")
  .max(2 * maxDataBytes)
  .transform((text): Uint8Array => Buffer.from(text, "hex"));
const algorithm = z.enum(keyAlgorithms).default("ed25519");

const quoteWish = z.strictObject({ data: bytes });
const keyWish = z.strictObject({ path: z.string(), algorithm });
const signWish = z.strictObject({ data: bytes, algorithm });
const verifyWish = z.strictObject({ data: bytes, algorithm, signature: bytes, public_key: bytes });
const eventWish = z.strictObject({
  event: z
    .string()
    .regex(/^[\w-]+$/)
    .max(maxEventLength),
  payload: bytes,
});

export function teeRoutes(state: TeeState): Hono {
  const app = new Hono();

  app.use("/tee/*", async (context, next) => {
    if (state.tee === "none") throw new AppError("tee-absent", state.reason);
    context.header("cache-control", "no-store");
    await next();
  });
  if (state.tee === "none") return app;

  const own = new TeeNamespace(state.agent, namespace);
  const common = { tee: state.tee, simulated: state.tee === "simulated" };

  app.get("/tee/info", async (context) => context.json({ ...common, ...(await describeTee(state)) }));

  app.post("/tee/quote", async (context) => {
    const { data } = await wishOf(quoteWish, context.req);
    const { quote, eventLog, vmConfig, reportData } = await own.quote(data);
    return context.json({
      ...common,
      quote: toHex(quote),
      event_log: eventLog,
      vm_config: vmConfig,
      report_data: toHex(reportData),
      report_data_is: callerFormula,
    });
  });

  app.post("/tee/derive-key", async (context) => {
    const wish = await wishOf(keyWish, context.req);
    const { key, path, signatureChain } = await own.deriveKey(wish.path, wish.algorithm);
    return context.json({
      ...common,
      algorithm: wish.algorithm,
      path,
      key: toHex(key),
      signature_chain: signatureChain.map(toHex),
    });
  });

  app.post("/tee/sign", async (context) => {
    const wish = await wishOf(signWish, context.req);
    const { signature, publicKey, signatureChain, path } = await own.sign(wish.data, wish.algorithm);
    return context.json({
      ...common,
      algorithm: wish.algorithm,
      namespace,
      signature: toHex(signature),
      signature_is_over: signatureFormula,
      public_key: toHex(publicKey),
      path,
      signature_chain: signatureChain.map(toHex),
    });
  });

  app.post("/tee/verify", async (context) => {
    const wish = await wishOf(verifyWish, context.req);
    const valid = own.verify(wish.data, wish.algorithm, wish.signature, wish.public_key);
    return context.json({ ...common, namespace, valid });
  });

  app.post("/tee/emit-event", async (context) => {
    const { event, payload } = await wishOf(eventWish, context.req);
    return context.json({ ...common, event: await own.emitEvent(event, payload) });
  });

  return app;
}

async function describeTee({ agent }: TeeContext): Promise<object> {
  const [info, version] = await Promise.all([agent.info(), agent.version()]);
  return {
    agent: agent.address,
    version: version ?? null,
    app_id: info.appId,
    instance_id: info.instanceId,
    app_name: info.appName,
    device_id: info.deviceId,
    compose_hash: info.composeHash,
    os_image_hash: info.osImageHash,
    app_compose: info.appCompose ?? null,
    key_provider_info: info.keyProviderInfo,
    vm_config: info.vmConfig,
    tcb_info: info.tcbInfo,
  };
}

async function wishOf<T>(form: z.ZodType<T>, request: Parameters<typeof readJson>[0]): Promise<T> {
  const wish = form.safeParse(await readJson(request));
  if (wish.success) return wish.data;
  throw new AppError("bad-request", `This cannot be read as a request.\n${z.prettifyError(wish.error)}`);
}
