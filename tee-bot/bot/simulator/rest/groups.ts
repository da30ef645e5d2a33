/** Groups with the bot in them, as `/v1/groups` lists and leaves them. */
import { Hono } from "hono";
import type { Group } from "../signal/directory.ts";
import type { World } from "../signal/world.ts";
import { internalGroupId, restGroupId } from "./recipients.ts";
import { callFor, type RestOptions } from "./rest-call.ts";
import { RestError } from "./rest-error.ts";

const everyMember = "every-member";

export function groupRoutes(options: RestOptions): Hono {
  const { world, answerForm } = options;
  const { directory } = world;
  const app = new Hono();
  const describe = (group: Group, expand: string | undefined): object => ({
    ...describeGroup(world, group, expand === "true"),
    ...(answerForm === "array" && { member: group.hasBot }),
  });

  app.get("/v1/groups/:number", async (context) => {
    const groups = await callFor(options, context, () => directory.groups);
    return context.json(groups.map((group) => describe(group, context.req.query("expand"))));
  });
  app.get("/v1/groups/:number/:group", async (context) => {
    const id = context.req.param("group");
    const group = await callFor(options, context, () => directory.groups.find((one) => restGroupId(one.id) === id));
    if (!group) throw new RestError("No group with that id found", 404);
    return context.json(describe(group, context.req.query("expand")));
  });
  for (const [action, changes] of [
    ["join", { hasBot: true }],
    ["quit", { hasBot: false }],
    ["block", { isBlocked: true }],
  ] as const)
    app.post(`/v1/groups/:number/:group/${action}`, async (context) => {
      const id = internalGroupId(context.req.param("group"));
      await callFor(options, context, () => {
        const group = directory.findGroup(id);
        if (!group) throw new RestError("Group not found");
        directory.changeGroup(group.name, changes);
      });
      return context.body(null, 204);
    });
  return app;
}

/** The first who came into a group made it. */
function describeGroup(world: World, group: Group, expand: boolean): object {
  const people = world.membersOf(group).map(({ number, uuid, hidesNumber }) => ({
    number: hidesNumber ? "" : number,
    uuid,
  }));
  const { number, uuid } = world.account;
  const members = group.hasBot ? [...people, { number, uuid }] : people;
  const show = (list: typeof members): readonly (string | object)[] =>
    expand ? list : list.map((member) => member.number || member.uuid);
  return {
    id: restGroupId(group.id),
    internal_id: group.id,
    name: group.name,
    description: "",
    members: show(members),
    admins: show(people.slice(0, 1)),
    blocked: group.isBlocked,
    pending_invites: [],
    pending_requests: [],
    invite_link: "",
    permissions: { add_members: everyMember, edit_group: everyMember, send_messages: everyMember },
  };
}
