// A picture wider than its frame starts with what it is about in the middle; when it is renewed, it stays where it was.
let last = { url: "", left: 0, top: 0 };

export function attachCentred(frame) {
  const current = frame.querySelector("[aria-current]");
  if (last.url === location.href) frame.scrollTo(last.left, last.top);
  else if (current) {
    const [outer, inner] = [frame.getBoundingClientRect(), current.getBoundingClientRect()];
    frame.scrollBy(middle(inner.left, inner.width) - middle(outer.left, outer.width), middle(inner.top, inner.height) - middle(outer.top, outer.height));
  }
  frame.addEventListener("scroll", () => (last = { url: location.href, left: frame.scrollLeft, top: frame.scrollTop }));
}

function middle(start, length) {
  return start + length / 2;
}
