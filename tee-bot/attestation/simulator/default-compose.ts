/** What is measured as the application where the user has named no compose file of their own: the form is dstack's. */

const dockerCompose = `services:
  postern:
    image: simulator.invalid/postern@sha256:${"0".repeat(64)}
    command: ["postern", "start"]
    volumes:
      - /var/run/dstack.sock:/var/run/dstack.sock
`;

/** In several lines, as people write it: the hash is of the text, not of what it says. */
export const defaultCompose = `${JSON.stringify(
  {
    manifest_version: 2,
    name: "postern-simulated",
    runner: "docker-compose",
    docker_compose_file: dockerCompose,
    kms_enabled: true,
    gateway_enabled: false,
    local_key_provider_enabled: false,
    public_logs: false,
    public_sysinfo: false,
    public_tcbinfo: true,
    allowed_envs: [],
    no_instance_id: false,
    secure_time: true,
  },
  undefined,
  2,
)}\n`;
