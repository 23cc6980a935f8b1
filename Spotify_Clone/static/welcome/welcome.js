const list = document.getElementById("songs");

function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function row(song) {
  const image = song.album?.cover_image;
  const cover = image ? element("img", { src: image, alt: "" }) : element("div", { className: "blank" });
  const words = element("div", {}, element("div", {}, song.title), element("div", { className: "by" }, song.artist.name));
  const player = song.audio_file
    ? element("audio", { controls: true, preload: "none", src: song.audio_file })
    : element("span", { className: "by" }, "no audio");
  return element("li", {}, cover, words, player);
}

try {
  const answer = await fetch(list.dataset.source, { headers: { Accept: "application/json" } });
  const { results } = await answer.json();
  const empty = element("li", { className: "by" }, "None yet: log in to the API as an artist and upload one.");
  list.replaceChildren(...(results.length ? results.map(row) : [empty]));
} catch {
  list.replaceChildren(element("li", { className: "by" }, "The songs could not be loaded."));
}
