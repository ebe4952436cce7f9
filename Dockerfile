# syntax=docker/dockerfile:1.7
# One recipe for every service:
#   docker build --build-arg SERVICE=stock-ledger --tag restock/stock-ledger .
# SERVICE: order-ingest | stock-ledger | forecaster | replenisher | dispatcher

ARG PYTHON_VERSION=3.11.14

# ---- build: the locked environment of one service, in /app/.venv ----
FROM python:${PYTHON_VERSION}-slim-bookworm AS build
ARG SERVICE
ARG UV_VERSION=0.13.9

# A wrong or missing SERVICE stops here, before anything is downloaded.
RUN case "${SERVICE:-}" in \
      order-ingest | stock-ledger | forecaster | replenisher | dispatcher) ;; \
      *) echo "SERVICE is '${SERVICE:-}': give --build-arg SERVICE=order-ingest, stock-ledger," \
              "forecaster, replenisher or dispatcher" >&2; exit 1 ;; \
    esac
RUN pip install --no-cache-dir "uv==${UV_VERSION}"

ENV UV_PROJECT_ENVIRONMENT=/app/.venv \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
WORKDIR /src

# The manifests of all members first, since the lock spans them: what they depend on is installed
# in a layer of its own, which stays cached until the lock changes.
COPY pyproject.toml uv.lock README.md ./
COPY libs/common/pyproject.toml libs/common/
COPY services/order-ingest/pyproject.toml services/order-ingest/
COPY services/stock-ledger/pyproject.toml services/stock-ledger/
COPY services/forecaster/pyproject.toml services/forecaster/
COPY services/replenisher/pyproject.toml services/replenisher/
COPY services/dispatcher/pyproject.toml services/dispatcher/
COPY deploy/local/pyproject.toml deploy/local/
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-dev --package "restock-${SERVICE}" --no-install-workspace

COPY libs/common libs/common
COPY services/${SERVICE} services/${SERVICE}
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-dev --package "restock-${SERVICE}" --no-editable

# An exec-form ENTRYPOINT cannot name a build argument, so the module is written into a launcher.
# alter_sys gives `__main__` its spec, which the dispatcher's spawned workers look for.
# The bill of materials (CycloneDX) is of the same lock: what is in it, and nothing else.
RUN printf '%s\n' \
      'from runpy import run_module' \
      '' \
      "run_module('${SERVICE}'.replace('-', '_'), run_name='__main__', alter_sys=True)" \
      > /app/service.py \
    && uv export --quiet --locked --no-dev --package "restock-${SERVICE}" \
      --preview-features sbom-export --format cyclonedx1.5 --output-file /app/sbom.cdx.json

# ---- root: of the base image, Python and what it stands on, and no other program ----
FROM python:${PYTHON_VERSION}-slim-bookworm AS root

# /var/lib/restock is the only folder that a service writes to (and /tmp): the root file system
# can be mounted read-only.
COPY deploy/images/only_python.py /
RUN groupadd --system --gid 10001 restock \
    && useradd --system --uid 10001 --gid restock --no-create-home --home-dir /var/lib/restock \
        --shell /usr/sbin/nologin restock \
    && install --directory --owner=restock --group=restock /var/lib/restock \
    && python3 /only_python.py / /image \
    && chown restock:restock /image/var/lib/restock

# ---- final: Python, the environment, and nothing that builds ----
FROM scratch AS final
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
ARG PYTHON_VERSION

LABEL org.opencontainers.image.title="restock-${SERVICE}" \
      org.opencontainers.image.description="Restock, real-time inventory control: ${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="docker.io/library/python:${PYTHON_VERSION}-slim-bookworm" \
      org.opencontainers.image.licenses="Apache-2.0"

COPY --from=root /image /
COPY --from=build /app /app

ENV PATH=/app/.venv/bin:/usr/local/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    RESTOCK_HTTP_HOST=0.0.0.0 \
    RESTOCK_HTTP_PORT=8000

WORKDIR /var/lib/restock
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM

# Ready, not merely alive: what depends on a service waits until records flow.
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f\"http://127.0.0.1:{os.environ['RESTOCK_HTTP_PORT']}/health/ready\", timeout=3)"]

ENTRYPOINT ["python", "/app/service.py"]
