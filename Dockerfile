# The build image: Go, make and CA certificates, as in the official one (the Debian variant).
ARG GO_IMAGE=golang:1.26

# What the program and the labels say of themselves; `make image` fills them in. Named before the first stage, so that
# one default serves both.
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z

# The compiler runs on the builder's own platform and cross-compiles: no emulation for another architecture.
FROM --platform=${BUILDPLATFORM} ${GO_IMAGE} AS build
WORKDIR /src

# The modules first, in a layer of their own: only a change of go.mod or go.sum downloads them again.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG VERSION
ARG REVISION
ARG CREATED
ARG TARGETOS
ARG TARGETARCH
# The same recipe as outside, so that the two programs are the same bytes. scratch has no directories, nor a shell to
# make them: they are made here, with their final modes.
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

# No command writes a file: run it with a read-only root.
COPY --from=build /rootfs /

# --config.file is hmp.yml unless told otherwise, and relative: mount the configuration here.
WORKDIR /etc/hmp_exporter

# Nobody, by number: there is no passwd file to look a name up in, and Kubernetes' runAsNonRoot wants a number.
USER 65534:65534
EXPOSE 10042

# The program asks itself: there is no shell, curl or wget here. It asks where HMP_EXPORTER_WEB_LISTEN_ADDRESS and
# HMP_EXPORTER_WEB_CONFIG_FILE have `serve` listen, so set these in the environment, not as arguments.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/hmp_exporter", "healthcheck"]
ENTRYPOINT ["/hmp_exporter"]
