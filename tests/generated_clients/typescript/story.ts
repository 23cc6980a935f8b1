// What a client does with the types that openapi-typescript wrote: node story.js ADDRESS AUDIO_FILE

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/schema.js";

type Song = components["schemas"]["Song"];

const [address, audioFile] = process.argv.slice(2) as [string, string];
const email = "tim@example.com";
const password = "long and winding road";
const api = createClient<paths>({ baseUrl: address });

/** The types say string for a file, as they do for text. */
const asFile = (file: Blob) => file as unknown as string;

function asForm(fields: object): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.set(name, value instanceof Blob ? value : String(value));
  }
  return form;
}

await api.POST("/api/users", { body: { email, password, name: "Tim", role: "artist" } });
const login = await api.POST("/api/login", { body: { email, password } });
const token: string = login.data!.token;
api.use({ onRequest: ({ request }) => request.headers.set("Authorization", `Token ${token}`) });

const content = readFileSync(audioFile);
const { data: created } = await api.POST("/api/songs", {
  body: { audio_file: asFile(new Blob([content])), title: "Harbour Lights", visibility: "public" },
  bodySerializer: asForm,
});
const id: string = created!.id;
const path = { id };

const { data: page } = await api.GET("/api/songs", { params: { query: { limit: 5, ordering: "-created_at" } } });
// No field of an answer may be missing, so none needs a check.
const [song] = page!.results as [Song];
const shown: string = `${song.artist.name}: ${song.title} (${song.duration} s)`;
assert.match(shown, /^Tim: Harbour Lights \(\d+ s\)$/);

const { data: found } = await api.GET("/api/songs/search", { params: { query: { q: "harbor ligths" } } });
assert.deepEqual(found!.songs.map((song) => song.id), [id]);

const { data: playback } = await api.POST("/api/songs/{id}/play", { params: { path } });
assert.equal(playback!.play_count, 1);
const audio = await fetch(playback!.stream_url!);
assert.deepEqual(Buffer.from(await audio.arrayBuffer()), content);

const liked = await api.POST("/api/songs/{id}/like", { params: { path } });
assert.equal(liked.data!.like_count, 1);

const replaced = await api.PUT("/api/songs/{id}", { params: { path }, body: { title: "Harbour Lights, Live" } });
assert.equal(replaced.data!.title, "Harbour Lights, Live");

const refused = await api.PATCH("/api/songs/{id}", { params: { path }, body: { release_date: "yesterday" } });
assert.equal(refused.error!.errors[0]!.attr, "release_date");

const withoutPicture = await api.PATCH("/api/profile", { body: { profile_picture: null } });
assert.equal(withoutPicture.data!.profile_picture, null);

const deleted = await api.DELETE("/api/songs/{id}", { params: { path } });
assert.equal(deleted.response.status, 204);
const closed = await api.DELETE("/api/profile", { body: { password } });
assert.equal(closed.response.status, 204);
