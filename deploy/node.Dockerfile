# A Postern node: docker build -f deploy/node.Dockerfile -t postern-node .
# deploy/signal/compose.yaml runs it with the bot; by itself:
# docker run --stop-timeout 30 --env POSTERN_EDGE=https://… -v postern:/var/lib/postern postern-node
FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /opt/postern
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24.21.0-bookworm-slim
WORKDIR /opt/postern
COPY --from=packages /opt/postern/node_modules node_modules
COPY package.json ./
COPY shared shared
COPY tee-bot tee-bot
COPY scripts/health-check.ts scripts/health-check.ts
COPY scripts/health scripts/health
RUN mkdir -m 0700 /var/lib/postern && chown node:node /var/lib/postern
VOLUME /var/lib/postern
ENV NODE_ENV=production \
    POSTERN_STATE=/var/lib/postern
USER node
# 1 is for people to look at; the container is unhealthy at 2.
HEALTHCHECK --interval=60s --timeout=20s --start-period=120s CMD node scripts/health-check.ts || [ $? -eq 1 ]
# Without a shell between: SIGTERM gives the name back and finishes what is in hand.
ENTRYPOINT ["node", "tee-bot/cli/main.ts"]
CMD ["start"]
