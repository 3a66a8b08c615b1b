FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY millpond millpond
COPY customers customers
COPY catalogue catalogue
COPY devices devices
COPY events events
COPY ingest ingest
COPY forecasting forecasting
COPY attribution attribution
COPY segments segments
COPY offers offers
COPY outward outward
COPY dam dam
COPY api api
COPY simulators simulators
RUN python -m venv /opt/millpond && /opt/millpond/bin/pip install --no-cache-dir -c requirements.lock '.[sparkplug]'

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home millpond
COPY --from=build /opt/millpond /opt/millpond
ENV PATH=/opt/millpond/bin:$PATH PYTHONUNBUFFERED=1
USER millpond
ENTRYPOINT ["millpond"]
CMD ["--help"]
