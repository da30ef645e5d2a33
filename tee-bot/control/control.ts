/**
 * The control API on 127.0.0.1: what the CLI asks of a running node. Every request carries the token of the
 * control file, which only the node's own user can read; a page in a browser on the same machine cannot.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import { problemContentType, problemOf, problemOfError } from "../../shared/problem.ts";
import type { TeeState } from "../attestation/attestation.ts";
import { parseTarget, type Target } from "../expose/target.ts";
import type { Ledger } from "../gateway/ledger.ts";
import { listenLocal } from "../server/listen-local.ts";
import { keyRoutes } from "./keys.ts";
import { readJson } from "./read-json.ts";
import { signalRoutes, type SignalControl } from "./signal.ts";
import { teeRoutes } from "./tee.ts";
import { exposureSchema, type ControlFile, type NodeStatus, type RenewalAnswer } from "./status.ts";

export interface ControlOptions {
  port: number;
  /** Where the control file is written. */
  path: string;
  status: () => NodeStatus;
  expose: (target: Target) => void;
  /** Orders a new certificate; throws {@link AppError} when that cannot be. */
  renew: () => void;
  /** The gateway's keys. */
  ledger: Pick<Ledger, "keys" | "usage">;
  tee: TeeState;
  /** The Signal bot, where there is one. */
  signal?: () => SignalControl | undefined;
  clock: Clock;
}

export interface Control extends AsyncDisposable {
  readonly port: number;
}

const tokenBytes = 32;

export async function startControl({ port, path, ...parts }: ControlOptions): Promise<Control> {
  const token = randomBytes(tokenBytes).toString("base64url");
  const server = createAdaptorServer({ fetch: createControlApp({ token, ...parts }).fetch }) as Server;
  const local = await listenLocal(server, port, "control API");
  const file: ControlFile = { url: `http://127.0.0.1:${local.port}`, token, pid: process.pid };
  const content = JSON.stringify(file);
  writeFileAtomic(path, content, 0o600);
  return {
    port: local.port,
    [Symbol.asyncDispose]: () => {
      removeOwn(path, content);
      return local[Symbol.asyncDispose]();
    },
  };
}

/** A process that was started since on the same state has put its own file there. */
function removeOwn(path: string, content: string): void {
  try {
    if (readFileSync(path, "utf8") === content) rmSync(path);
  } catch {
    // it is gone already
  }
}

/** The application without its server; exported for tests. */
export function createControlApp({
  token,
  status,
  expose,
  renew,
  ledger,
  tee,
  signal = () => undefined,
  clock,
}: Omit<ControlOptions, "port" | "path"> & { token: string }): Hono {
  const app = new Hono();

  app.use(async (context, next) => {
    if (!isToken(context.req.header("authorization"), token))
      throw new AppError("forbidden", "The token of the control file is missing or wrong.");
    await next();
  });

  app.get("/v1/status", (context) => context.json(status()));

  app.put("/v1/exposure", async (context) => {
    const body = exposureSchema.safeParse(await readJson(context.req));
    if (!body.success) throw new AppError("bad-request", 'Send {"target": "http://127.0.0.1:3000"}.');
    expose(parseTarget(body.data.target));
    return context.json(status());
  });

  app.post("/v1/certificate/renewal", (context) => {
    const answer: RenewalAnswer = { askedAt: clock.now() };
    renew();
    return context.json(answer, 202);
  });

  app.route("/", keyRoutes({ ledger, clock }));
  app.route("/", teeRoutes(tee));
  app.route("/", signalRoutes(signal));

  app.notFound(({ req }) => problemResponse(problemOf("not-found", `There is no ${req.method} ${req.path} here.`)));
  app.onError((error) => problemResponse(problemOfError(error)));
  return app;
}

function problemResponse(problem: ReturnType<typeof problemOf>): Response {
  return Response.json(problem, { status: problem.status, headers: { "content-type": problemContentType } });
}

function isToken(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
