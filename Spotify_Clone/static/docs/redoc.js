// Redoc shows its maker's logo from the maker's server. Pages load nothing from other servers, so the image gets an
// empty address instead, fails quietly, and Redoc hides it.
const image = HTMLImageElement.prototype;
const { set } = Object.getOwnPropertyDescriptor(image, "src");
const ownAddress = (url) => (new URL(url, location).origin === location.origin || /^data:/.test(url) ? url : "data:,");

Object.defineProperty(image, "src", {
  ...Object.getOwnPropertyDescriptor(image, "src"),
  set(url) {
    set.call(this, ownAddress(url));
  },
});
image.setAttribute = function (name, value) {
  Element.prototype.setAttribute.call(this, name, name === "src" ? ownAddress(value) : value);
};
