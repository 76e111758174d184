// A click on an image shows it in full size over the page; without JavaScript the link opens the file.
const SMALL_PX = 160;

export function attachLightbox(dialog) {
  const part = dialog.parentElement;
  const image = dialog.querySelector("img");
  part.addEventListener("click", (event) => {
    const link = event.target.closest("[data-full-size]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const thumb = link.querySelector("img");
    image.src = link.href;
    image.alt = thumb.alt;
    const caption = link.parentElement.querySelector("figcaption").textContent.trim();
    dialog.querySelector("p").textContent = caption;
    // a picture of 28 pixels is looked at pixel by pixel
    const small = thumb.naturalWidth > 0 && thumb.naturalWidth <= SMALL_PX;
    image.classList.toggle("is-small", small);
    image.width = small ? thumb.naturalWidth * Math.max(1, Math.floor(640 / thumb.naturalWidth)) : thumb.naturalWidth;
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  for (const thumb of part.querySelectorAll("[data-full-size] img")) {
    const mark = () => thumb.classList.toggle("is-small", thumb.naturalWidth <= SMALL_PX);
    if (thumb.complete) mark();
    else thumb.addEventListener("load", mark, { once: true });
  }
}
