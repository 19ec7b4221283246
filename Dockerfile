# The build image needs Go, make and CA certificates. The Debian variant of the official image has them.
ARG GO_IMAGE=golang:1.26

# `make image` sets the version of the program and of the labels. A default before the first stage is for both stages.
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z

# The compiler runs on the platform of the builder and cross-compiles, so another architecture needs no emulation.
FROM --platform=${BUILDPLATFORM} ${GO_IMAGE} AS build
WORKDIR /src

# The modules are a layer of their own, so that only a change of go.mod or go.sum downloads them again.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG VERSION
ARG REVISION
ARG CREATED
ARG TARGETOS
ARG TARGETARCH
# `make build` makes the same bytes as outside of a container. scratch has no shell, so this stage makes the directories
# of the image, with their modes.
RUN GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    make build BIN=/rootfs/hmp_exporter \
      VERSION="${VERSION}" REVISION="${REVISION}" BUILD_DATE="${CREATED}" \
 && install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/ca-certificates.crt \
 && install -d -m 0755 /rootfs/etc/hmp_exporter

FROM scratch
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="hmp_exporter" \
      org.opencontainers.image.description="Prometheus exporter for the Haivision Media Platform" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"

# The program writes no file, so the root can be read-only.
COPY --from=build /rootfs /

# The program reads hmp.yml in this directory. Mount the configuration here.
WORKDIR /etc/hmp_exporter

# The user nobody, as a number: the image has no passwd file, and runAsNonRoot of Kubernetes needs a number.
USER 65534:65534
EXPOSE 10042

# The image has no shell and no curl, so the program asks itself. If you change the address or the web configuration, set
# HMP_EXPORTER_WEB_LISTEN_ADDRESS and HMP_EXPORTER_WEB_CONFIG_FILE. The health check does not see the arguments of `serve`.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/hmp_exporter", "healthcheck"]
ENTRYPOINT ["/hmp_exporter"]
