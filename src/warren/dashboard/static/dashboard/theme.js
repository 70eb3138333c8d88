// Runs before the page is painted: the theme that was chosen, if one was; else the system's.
"use strict";
try {
  const chosen = localStorage.getItem("warren-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch { /* a browser that keeps nothing follows the system */ }
