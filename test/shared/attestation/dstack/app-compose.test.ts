import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { attempt } from "../../../../shared/attestation/attempt.ts";
import { hashCompose, maxComposeLength, parseAppCompose } from "../../../../shared/attestation/dstack/app-compose.ts";

const digest = `sha256:${"ab".repeat(32)}`;
const compose = (services: string, more: object = {}): string =>
  JSON.stringify({ docker_compose_file: `services:\n${services}`, ...more });
const images = (services: string): unknown => parseAppCompose(compose(services)).images;
const refusal = async (text: string): Promise<string | undefined> => (await attempt(() => parseAppCompose(text))).fault;

describe("the compose text", () => {
  it("is hashed as it stands, to the last space and letter", async () => {
    const text = '{ "name": "né"  }\n';
    expect(await hashCompose(text)).toBe(createHash("sha256").update(text).digest("hex"));
    expect(await hashCompose(text)).not.toBe(await hashCompose(JSON.stringify(JSON.parse(text))));
  });

  it.each([
    ["a name and a digest", `example.org/web@${digest}`, digest],
    ["a name, a tag and a digest", `example.org:5000/web:1.2@${digest}`, digest],
    ["a tag", "example.org/web:1.2", undefined],
    ["nothing but a name", "web", undefined],
    ["a digest cut short", `web@${digest.slice(0, -1)}`, undefined],
    ["a digest with more after it", `web@${digest}0`, undefined],
    ["a digest in a variable", "web@${DIGEST}", undefined],
  ])("names an image by %s", (_, image, expected) => {
    expect(images(`  web:\n    image: "${image}"\n`)).toEqual([{ service: "web", image, digest: expected }]);
  });

  it("names a service that is built where it runs, without an image", () => {
    expect(images("  web:\n    build: .\n")).toEqual([{ service: "web", image: undefined, digest: undefined }]);
  });

  it("may say the same thing by an anchor", () => {
    const both = `  one: &one\n    image: web@${digest}\n  two:\n    <<: *one\n    image: web@${digest}\n`;
    expect(images(both)).toHaveLength(2);
  });

  it.each(["pre_launch_script", "init_script"])("says when a %s runs beside the images", (name) => {
    const services = `  web:\n    image: web@${digest}\n`;
    expect(parseAppCompose(compose(services, { [name]: "docker run evil" })).hasScript).toBe(true);
    expect(parseAppCompose(compose(services, { [name]: "" })).hasScript).toBe(false);
  });

  it.each([
    ["no JSON", "{"],
    ["no compose file", "{}"],
    ["a compose file that is no YAML", JSON.stringify({ docker_compose_file: "a: [" })],
    ["a compose file without services", JSON.stringify({ docker_compose_file: "volumes: {}" })],
    ["services that are a list", JSON.stringify({ docker_compose_file: "services: [web]" })],
    ["files that it includes", JSON.stringify({ docker_compose_file: "include: [other.yml]\nservices: {}" })],
    ["more than any has", " ".repeat(maxComposeLength + 1)],
    ["more services than any has", compose(Array.from({ length: 129 }, (_, at) => `  s${at}: {}\n`).join(""))],
    ["nesting that would end the stack", JSON.stringify({ docker_compose_file: `services: ${"[".repeat(50_000)}` })],
    [
      "anchors that would fill the memory",
      JSON.stringify({
        docker_compose_file: `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, at) => {
          const [from, to] = [String.fromCharCode(97 + at), String.fromCharCode(98 + at)];
          return `${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join()}]\n`;
        }).join("")}services: *j\n`,
      }),
    ],
  ])("is refused with %s", async (_, text) => {
    expect(await refusal(text)).toMatch(/Compose|compose/);
  });
});
