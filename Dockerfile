# An image for the workers of docker and kubernetes work pools: docker build -t seg2real .
FROM python:3.11-slim
RUN apt-get update && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /seg2real
COPY . .
RUN make .venv/.installed
ENV PATH=/seg2real/.venv/bin:$PATH
