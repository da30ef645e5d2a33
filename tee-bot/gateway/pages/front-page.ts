import { html } from "hono/html";
import type { HealthReport } from "../../health/health.ts";

type Html = ReturnType<typeof html>;

/** The small page at `GET /`: what this is, and whether it is well. Nothing is loaded from elsewhere. */
export function frontPage({ status, tee, hostnames, steps }: HealthReport): Html {
  const name = hostnames[0] ?? "this node";
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${name}</title>
        <style>
          :root {
            color-scheme: light dark;
            font:
              1rem/1.6 system-ui,
              sans-serif;
          }
          body {
            max-width: 40rem;
            margin: 12vh auto;
            padding: 0 1.5rem;
          }
          h1 {
            font-size: 1.4rem;
            overflow-wrap: anywhere;
          }
          li::marker {
            content: "· ";
          }
          li.ok::marker {
            content: "✓ ";
          }
          code {
            font-size: 0.9em;
          }
        </style>
      </head>
      <body>
        <h1>${name}</h1>
        <p>
          A private AI node behind <strong>Postern</strong>. The TLS connection that brought you this page ends in the
          node's own process: the relay in between sees the name and encrypted bytes, nothing else.
        </p>
        ${tee === "simulated" ? html`<p><strong>Its TEE is SIMULATED: nothing of this node is proven.</strong></p>` : ""}
        <p>The name is <strong>${status}</strong>:</p>
        <ul>
          ${steps.map(({ step, ok }) => html`<li class="${ok ? "ok" : ""}">${step}</li>`)}
        </ul>
        <p>
          An OpenAI client reaches it at <code>/v1</code>: <a href="/v1/models">models</a>.
          <a href="/healthz">/healthz</a> tells each step.
        </p>
      </body>
    </html>`;
}
