# Two images of one build: `chat`, the server (the default target), and `neighbours`, presence and the stand-ins.
#
# Node runs the sources as they are: it strips the types. What it made of them is kept in a compile cache that is written while the
# image is built. Measured on two cores: a start takes 0.5 to 0.7 s and 155 MB without the cache, 0.4 s and 119 MB with it, and sources
# compiled to JavaScript beforehand take as much as the cache. So there is nothing that a build step would gain.
#
# Debian rather than Alpine: V8 is built and tested against glibc, and musl's allocator is slow with many connections.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional package is Node itself, which the image has.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM ${NODE_IMAGE} AS runtime
ENV NODE_ENV=production NODE_COMPILE_CACHE=/var/cache/node
RUN mkdir /var/cache/node && chown node:node /var/cache/node
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules ./node_modules

FROM runtime AS neighbours
COPY neighbours ./neighbours
USER node
# Each ends in order by the signal, and only a process that ends so writes its cache.
RUN for main in presence stand-ins; do PORT=0 timeout 5 node neighbours/$main/main.ts || [ $? -eq 124 ]; done
ENV HOST=0.0.0.0
EXPOSE 6060 7070
CMD ["node", "neighbours/presence/main.ts"]

FROM runtime AS chat
# A named volume takes over the owner of the folder that it covers.
RUN mkdir /data /files && chown node:node /data /files
COPY src ./src
COPY page ./page
USER node
RUN PORT=0 DATA_DIR=/tmp/warm-up timeout 10 node src/bootstrap/main.js || [ $? -eq 124 ]; rm -rf /tmp/warm-up
ENV HOST=0.0.0.0 PORT=8080 DATA_DIR=/data FILES_URL=/files
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/chat-server/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/bootstrap/main.js"]
