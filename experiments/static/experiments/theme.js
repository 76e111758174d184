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
  /** theme: "" for that of the system. */
  function choose(theme) {
    try {
      if (theme) localStorage.setItem(KEY, theme);
      else localStorage.removeItem(KEY);
    } catch {
      // shown all the same, forgotten with the page
    }
    document.documentElement.dataset.bsTheme = theme || (system.matches ? "dark" : "light");
    dispatchEvent(new Event("runicorn:theme"));
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) choose(document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark");
  });
  document.addEventListener("change", (event) => event.target.matches("[data-theme-choice]") && choose(event.target.value));
  document.addEventListener("DOMContentLoaded", () => {
    const choice = document.querySelector("[data-theme-choice]");
    if (choice) choice.value = chosen() ?? "";
  });
})();
