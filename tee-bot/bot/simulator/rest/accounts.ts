/** The account: how it is registered or linked, what it shows of itself, and what lifts its rate limits. */
import { Hono } from "hono";
import { qrImage } from "./qr-image.ts";
import { callFor, demand, readBody, readOptionalBody, type RestOptions } from "./rest-call.ts";
import { RestError } from "./rest-error.ts";
import {
  challengeSchema,
  profileSchema,
  registerSchema,
  settingsSchema,
  trustModeSchema,
  usernameSchema,
  verifySchema,
} from "./schemas.ts";

const trustModes = new Set(["on-first-use", "always", "never"]);
const usernamePattern = /^[a-z_]\w{2,31}(\.\d{2,10})?$/i;

export function accountRoutes(options: RestOptions): Hono {
  const { world, registration, faults } = options;
  const app = new Hono();

  app.get("/v1/accounts", async (context) => {
    const number = world.account.number;
    return context.json(await options.host.call(() => (registration.isRegistered ? [number] : [])));
  });

  app.post("/v1/register/:number", async (context) => {
    const { captcha } = await readOptionalBody(context, registerSchema);
    await options.host.call(() => registration.register(context.req.param("number"), captcha));
    return context.body(null, 201);
  });
  app.post("/v1/register/:number/verify/:token", async (context) => {
    await readOptionalBody(context, verifySchema);
    const { number, token } = context.req.param();
    await options.host.call(() => registration.verify(number, token));
    return context.body(null, 201);
  });

  app.get("/v1/qrcodelink", async (context) => {
    demandDeviceName(context.req.query("device_name"));
    const image = qrImage(await options.host.call(() => registration.startLink()));
    return context.body(new Uint8Array(image), 200, { "content-type": "image/png" });
  });
  app.get("/v1/qrcodelink/raw", async (context) => {
    demandDeviceName(context.req.query("device_name"));
    const uri = await options.host.call(() => registration.startLink());
    return context.json({ device_link_uri: uri });
  });

  app.put("/v1/profiles/:number", async (context) => {
    const { name, about } = await readBody(context, profileSchema);
    demand(name, "profile name");
    await callFor(options, context, () => registration.change({ profile: { name, about } }));
    return context.body(null, 204);
  });
  app.put("/v1/accounts/:number/settings", async (context) => {
    const settings = await readBody(context, settingsSchema);
    await callFor(options, context, () => registration.change({ settings }));
    return context.body(null, 201);
  });
  app.post("/v1/accounts/:number/username", async (context) => {
    const { username } = await readBody(context, usernameSchema);
    if (!usernamePattern.test(username)) throw new RestError("Invalid username");
    const full = username.includes(".") ? username : `${username}.01`;
    await callFor(options, context, () => registration.change({ username: full }));
    return context.json({ username: full, username_link: `https://signal.me/#eu/${encodeURIComponent(full)}` }, 201);
  });
  app.post("/v1/accounts/:number/rate-limit-challenge", async (context) => {
    const { challenge_token: token, captcha } = await readBody(context, challengeSchema);
    await callFor(options, context, () => {
      if (!captcha.startsWith("signalcaptcha://") || !faults.solveChallenge(token))
        throw new RestError("Captcha rejected");
    });
    return context.body(null, 204);
  });

  app.get("/v1/configuration/:number/settings", (context) => context.json({ trust_mode: "on-first-use" }));
  app.post("/v1/configuration/:number/settings", async (context) => {
    const { trust_mode: mode } = await readBody(context, trustModeSchema);
    if (!trustModes.has(mode)) throw new RestError("Invalid trust mode");
    throw new RestError("Couldn't set trust mode"); // it is an environment variable of json-rpc mode
  });

  return app;
}

function demandDeviceName(name: string | undefined): void {
  if (!name) throw new RestError("Please provide a name for the device");
}
