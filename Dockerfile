# syntax=docker/dockerfile:1.7
# An image with vitals-server alone, for linux/amd64 and linux/arm64:
#   docker buildx build --platform linux/amd64,linux/arm64 --tag REGISTRY/vitals-server:0.1.0 --push .

# Builds on the machine's own architecture with a cross compiler, not with an emulator.
FROM --platform=$BUILDPLATFORM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
ARG TARGETARCH
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,id=target-$TARGETARCH,sharing=locked \
    INSTALL=1 scripts/static.sh vitals-server "$TARGETARCH" /out/vitals-server

# No shell, no libraries, no certificates: the CA comes with the service account.
FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="vitals-server" \
      org.opencontainers.image.description="The metrics server of Kubevitals: scrapes every kubelet and answers metrics.k8s.io" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY LICENSE /LICENSE
COPY --from=build /out/vitals-server /vitals-server
USER 65532:65532
EXPOSE 10250
ENTRYPOINT ["/vitals-server"]
