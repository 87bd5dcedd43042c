# Two images of one build: `chat`, the server (the default target), and `neighbours`, presence and the stand-ins.
#
# Node runs the sources directly: it strips the types. The build of the image fills Node's compile cache.
# Measured on two cores: without the cache, a start takes 0.5 to 0.7 s and 155 MB; with it, 0.4 s and
# 119 MB. Sources that are compiled to JavaScript take as much as the cache, so a build step gains
# nothing.
#
# Debian, not Alpine: V8 is built and tested with glibc, and musl's allocator is slow with many
# connections.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional package is Node itself. The image has it already.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force
# Packages bring files along that no server reads. Node.js runs no TypeScript in node_modules.
RUN find node_modules -type f \( -name '*.ts' -o -name '*.[cm]ts' -o -name '*.map' -o -name '*.md' \) ! -iname 'licen*' -delete \
  && find node_modules -type d \( -name test -o -name tests -o -name benchmarks -o -name docs \) -prune -exec rm -rf {} + \
  && find node_modules -type d -empty -delete

# The page is bundled by a package that the server does not need.
FROM ${NODE_IMAGE} AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY client ./client
RUN npm ci --ignore-scripts && npm cache clean --force
COPY scripts ./scripts
COPY page ./page
RUN node scripts/build-page.ts

FROM ${NODE_IMAGE} AS runtime
ENV NODE_ENV=production NODE_COMPILE_CACHE=/var/cache/node
RUN mkdir /var/cache/node && chown node:node /var/cache/node
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules ./node_modules

FROM runtime AS neighbours
COPY neighbours ./neighbours
USER node
# timeout sends SIGTERM. A process writes its compile cache only when it ends normally.
RUN for main in presence stand-ins; do PORT=0 timeout 5 node neighbours/$main/main.ts || [ $? -eq 124 ]; done
ENV HOST=0.0.0.0
EXPOSE 6060 7070
CMD ["node", "neighbours/presence/main.ts"]

FROM runtime AS chat
# A named volume gets the owner of the folder that it is mounted on.
RUN mkdir /data /files && chown node:node /data /files && ln -s /app/src/bootstrap/main.js /usr/local/bin/chat-server
COPY src ./src
COPY docs/public ./docs/public
COPY admin ./admin
COPY --from=page /app/page/dist ./page/dist
USER node
RUN PORT=0 DATA_DIR=/tmp/warm-up timeout 10 node src/bootstrap/main.js || [ $? -eq 124 ]; rm -rf /tmp/warm-up
ENV HOST=0.0.0.0 PORT=8080 DATA_DIR=/data FILES_URL=/files
EXPOSE 8080
STOPSIGNAL SIGTERM
# Bash reads the answer itself, in 2 ms of CPU. A Node.js for each check takes 65 ms and 59 MB.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /chat-server/health/ready HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
CMD ["node", "src/bootstrap/main.js"]
