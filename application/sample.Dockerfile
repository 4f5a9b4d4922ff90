# The counting sample, to try a launch with. Built at the root of the repository:
#   docker build -f application/sample.Dockerfile -t sample .
#   docker run -e LOOPCTR=3 -e STIME=1 -e XCODE=0 sample
ARG BASE=docker.io/library/busybox:1.37.0
FROM ${BASE}
LABEL org.opencontainers.image.title="run_app" \
      org.opencontainers.image.description="Counts to LOOPCTR, sleeps STIME seconds each, ends with XCODE" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY application/run_app.sh /app/run_app.sh
USER 65534:65534
ENTRYPOINT ["/bin/sh", "/app/run_app.sh"]
