# syntax=docker/dockerfile:1.7
# vitals-server and nothing else, for linux/amd64 and linux/arm64:
#   docker buildx build --platform linux/amd64,linux/arm64 --tag REGISTRY/vitals-server:0.1.0 --push .

# On the machine's own architecture, whichever the image is for: the compiler crosses over, not an emulator.
FROM --platform=$BUILDPLATFORM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
ARG TARGETARCH
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,id=target-$TARGETARCH,sharing=locked \
    INSTALL=1 scripts/static-server.sh "$TARGETARCH" /out/vitals-server

# No shell, no libraries, no certificates: whom to trust comes with the service account.
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
