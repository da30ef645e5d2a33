/** A visitor of a public name: HTTPS through the relay, trusting the development CA. */
import { execFile } from "node:child_process";
import { get, request, type RequestOptions } from "node:https";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Postern } from "./postern.ts";

export interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  body: string;
}

const timeoutMs = 20_000;

export interface VisitOptions extends RequestOptions {
  headers?: OutgoingHttpHeaders;
  body?: string;
}

export function optionsFor({ run, ca }: Postern, hostname?: string): VisitOptions {
  return {
    host: run.relay.host,
    port: run.relay.port,
    servername: hostname ?? run.node.hostnames[0],
    headers: { host: hostname ?? run.node.hostnames[0] },
    ca,
    agent: false,
  };
}

/** One request on a connection of its own. Rejects when the answer breaks off. */
export function visit(postern: Postern, path: string, options: VisitOptions = {}): Promise<Answer> {
  const base = optionsFor(postern);
  return new Promise((resolve, reject) => {
    const sent = request(
      { ...base, path, timeout: timeoutMs, ...options, headers: { ...base.headers, ...options.headers } },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.once("error", reject);
        response.once("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    sent.once("timeout", () => sent.destroy(new Error("timed out")));
    sent.once("error", reject);
    sent.end(options.body);
  });
}

/** Whether the name answers at all, whatever it says. */
export function answers(postern: Postern, path = "/healthz"): Promise<boolean> {
  return visit(postern, path, { timeout: 1_000 }).then(
    () => true,
    () => false,
  );
}

/** An answer whose body the caller reads. */
export function open(postern: Postern, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ ...optionsFor(postern), path }, resolve).once("error", reject);
  });
}

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end; a failure is an exit code, not a throw. */
export function runProgram(
  file: string,
  args: readonly string[],
  { input = "", env, timeout = timeoutMs }: { input?: string; env?: NodeJS.ProcessEnv; timeout?: number } = {},
): Promise<Output> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { timeout, maxBuffer: 64 << 20, ...(env && { env }) }, (error, stdout, stderr) =>
      resolve({ code: error ? (typeof error.code === "number" ? error.code : -1) : 0, stdout, stderr }),
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
