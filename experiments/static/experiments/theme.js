// Light or dark, set before the first paint: this small script blocks, all others wait.
(() => {
  const KEY = "runicorn-theme";
  const system = matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is forbidden: the system's choice holds
    }
  }

  function apply() {
    const theme = chosen() || (system.matches ? "dark" : "light");
    if (document.documentElement.dataset.bsTheme === theme) return;
    document.documentElement.dataset.bsTheme = theme;
    dispatchEvent(new Event("runicorn:theme"));
  }

  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const other = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, other);
    } catch {
      // shown all the same, forgotten with the page
    }
    document.documentElement.dataset.bsTheme = other;
    dispatchEvent(new Event("runicorn:theme"));
  });
})();
