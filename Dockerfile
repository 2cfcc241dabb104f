# One image for all that a container runs: the web server by default; the worker, one-off tasks and
# migrations by command (`python manage.py task_worker`, `… run_task ID`, `… migrate`).
ARG BASE=python:3.12-slim-bookworm

# --- Libraries, and the files of this checkout ---------------------------------------------------
FROM ${BASE} AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# First, and alone: this layer stays until the requirements change. Where libvips' headers were,
# pyvips would compile: PKG_CONFIG keeps it from looking.
COPY requirements.txt requirements-dev.txt ./
RUN python -m venv --without-pip /opt/venv \
 && PKG_CONFIG=false python -m pip --python /opt/venv/bin/python install \
      --require-hashes --no-deps --only-binary :all: --no-binary pyvips -r requirements.txt \
 # The docs page's assets: only their names are needed, see below.
 && sed -n '/^drf-spectacular-sidecar==/,/^[a-z].*==/{/^drf-spectacular-sidecar==/p;/^ .*--hash/p}' \
      requirements-dev.txt > assets.txt \
 && python -m pip install --target /opt/assets --require-hashes --no-deps -r assets.txt \
 # What nobody runs: tests, other languages' texts, type stubs.
 && find /opt/venv -depth -type d \( -name tests -o -name testing \) -path '*/site-packages/*' \
      -exec rm -rf {} + \
 && find /opt/venv \( -name '*.pyi' -o -name '*.po' -o -name '*.h' -o -name '*.c' \) -delete
COPY . .
RUN python -m igloo.packaging.image /srv/igloo \
 && PYTHONPATH=/opt/assets /opt/venv/bin/python -m igloo.packaging.static_names \
      /srv/igloo/staticfiles.json \
 && /opt/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /srv/igloo

# --- What runs -----------------------------------------------------------------------------------
FROM ${BASE}
# As GET /healthz tells it.
ARG COMMIT=""
ENV IGLOO_COMMIT=${COMMIT} \
    PATH=/opt/venv/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv/igloo
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/igloo /srv/igloo
# A number, so that a platform can see that it is not root's. It owns nothing here and writes to
# /tmp alone: the root file system may be read-only, and /tmp a volume that begins as it is here.
USER 10001:10001
VOLUME ["/tmp"]
EXPOSE 8000
# Alive: it answers. A deployed stage refuses a call by this address, since no client makes one.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status >= 500)"]
CMD ["gunicorn", "--config", "deploy/gunicorn.conf.py", "igloo.wsgi"]
