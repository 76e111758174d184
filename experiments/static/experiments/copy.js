// Buttons that copy a text, and say so.
const SHOWN_MS = 1500;

export function attachCopyButtons(page) {
  page.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const text = button.dataset.copy ?? page.querySelector(button.dataset.copyFrom).textContent;
    const copied = await copy(text);
    announce(copied ? gettext("Copied") : gettext("The browser did not allow copying."));
    if (!copied) return;
    const use = button.querySelector("use");
    use.setAttribute("href", `${page.body.dataset.icons}#check`);
    button.classList.add("is-copied");
    setTimeout(() => {
      use.setAttribute("href", `${page.body.dataset.icons}#copy`);
      button.classList.remove("is-copied");
    }, SHOWN_MS);
  });
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // no clipboard for pages without TLS beyond loopback
  }
}

function copyBySelection(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

/** Tell it to screen readers. */
export function announce(text) {
  document.querySelector("[data-announcer]").textContent = text;
}
