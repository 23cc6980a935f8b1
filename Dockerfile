# Three stages: `build` has the tools, `app` is the server and the worker, `proxy` is nginx with the static files.

FROM python:3.11-slim AS build
ENV PIPENV_VENV_IN_PROJECT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/pipenv && /opt/pipenv/bin/pip install pipenv
WORKDIR /app
COPY Pipfile Pipfile.lock ./
# What is installed is compared with the hashes of the lock.
RUN /opt/pipenv/bin/pipenv sync
COPY manage.py ./
COPY Spotify_Clone Spotify_Clone
COPY core core
COPY users users
COPY payments payments
COPY music music
COPY demo demo
# Other accounts than the one that builds will read these.
RUN PYTHONDONTWRITEBYTECODE=1 SECRET_KEY=only-while-the-image-is-built-0123456789 .venv/bin/python manage.py collectstatic --noinput \
    && chmod -R a+rX staticfiles
RUN .venv/bin/python -m compileall -q manage.py Spotify_Clone core users payments music demo


FROM python:3.11-slim AS app
RUN groupadd --system --gid 10001 music \
    && useradd --system --uid 10001 --gid music --no-create-home --shell /usr/sbin/nologin music \
    && install --directory --owner=music --group=music --mode=750 /data/media
COPY --from=build /app /app
WORKDIR /app
# Root owns the code and the static files, so a server that was taken over can't change them.
USER 10001
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 PORT=8000 MEDIA_ROOT=/data/media
VOLUME /data/media
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "core.server.alive"]
CMD ["python", "-m", "core.server.serve"]


FROM nginx:1.28-alpine AS proxy
# nginx reads stored files as a member of the application's group; it can't change them.
RUN addgroup -S -g 10001 music && addgroup nginx music
COPY deploy/nginx.conf /etc/nginx/nginx.conf
COPY --from=build /app/staticfiles /srv/static
HEALTHCHECK --interval=10s --timeout=5s --retries=3 CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/proxy-is-up"]
EXPOSE 8080
