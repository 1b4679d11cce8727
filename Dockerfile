# Farsight as a container: the native addon and the TypeScript are built in one stage, the runtime holds neither tools
# nor sources.
#   docker build -t farsight .
#   docker run -p 8080:8080 -v "$PWD/idx:/data/idx:ro" farsight serve --collection photos=/data/idx

FROM node:24-bookworm-slim AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 make g++ \
 && rm -rf /var/lib/apt/lists/*
# The image carries Node's headers; node-gyp need not download them.
ENV npm_config_nodedir=/usr/local
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY native native
COPY src src
COPY index-builder index-builder
# The actors and baselines of farsight simulate.
COPY bench bench
RUN npm run build \
 && npm prune --omit=dev

FROM node:24-bookworm-slim
# Flags and other FARSIGHT_* variables of `serve --help` override these.
ENV NODE_ENV=production FARSIGHT_HOST=0.0.0.0 FARSIGHT_PORT=8080
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/native/build/Release/farsight.node native/build/Release/farsight.node
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/index-builder dist/index-builder
COPY --from=build /app/dist/bench dist/bench
COPY bin bin
COPY LICENSE ./
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.FARSIGHT_PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/farsight.js"]
CMD ["serve", "--help"]
