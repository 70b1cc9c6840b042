# The HTTP API in a container: docker build -t mien . && docker run -e MIEN_TOKEN=... -p 7861:7861 mien
# The learnt methods too: --build-arg EXTRAS=web,train, and for the small CPU build of torch
# --build-arg PIP_EXTRA_INDEX_URL=<PyTorch's CPU index>
FROM python:3.12-slim-bookworm AS build
ARG EXTRAS=web
ARG PIP_EXTRA_INDEX_URL=
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --constraint constraints.txt ".[${EXTRAS}]"

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin mien
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
EXPOSE 7861
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7861/healthz')"]
# It listens beyond the container, so it starts only with a secret in MIEN_TOKEN.
ENTRYPOINT ["mien"]
CMD ["serve", "--host", "0.0.0.0", "--port", "7861"]
