# A Postern relay: docker build -f deploy/relay.Dockerfile -t postern-relay .
# docker run --stop-timeout 45 -p 443:443 --env-file relay.env -v postern-relay:/var/lib/postern-relay postern-relay
FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /opt/postern
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24.21.0-bookworm-slim
WORKDIR /opt/postern
COPY --from=packages /opt/postern/node_modules node_modules
COPY package.json ./
COPY shared shared
COPY relay relay
RUN mkdir -m 0700 /var/lib/postern-relay && chown node:node /var/lib/postern-relay
VOLUME /var/lib/postern-relay
ENV NODE_ENV=production \
    RELAY_STATE_DIR=/var/lib/postern-relay \
    RELAY_IDENTITY_FILE=/var/lib/postern-relay/identity.pem
USER node
EXPOSE 443
# Without a shell between: SIGTERM drains.
ENTRYPOINT ["node", "relay/main.ts"]
