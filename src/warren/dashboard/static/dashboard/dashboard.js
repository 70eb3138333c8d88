// Live pages that stay calm.
//
// A live part asks for itself every few seconds and is merged into what stands there (`hx-swap="calm"`): only what
// differs is touched. So focus, selection, scroll position, ticked boxes, open details and half-typed text stay.
//
//   the session has ended      a line says so; the page goes on by itself after a login, in whichever window, and its
//                              buttons work again
//   the server is away         a line says so, what was shown last stays; the next answer takes the line away
//   nobody looks at the page   nothing is asked
"use strict";

(() => {
  const trouble = document.getElementById("trouble");

  // --- merging -------------------------------------------------------------------------------------------------------

  const isSame = (old, fresh) =>
    old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && (old.id || "") === (fresh.id || "");

  // what the person has changed since, and the server does not know; nobody types into a hidden field
  const isTheirs = (element, name) =>
    (name === "open" && element.nodeName === "DETAILS") ||
    ((name === "checked" || name === "value") && element.nodeName === "INPUT" && element.getAttribute("type") !== "hidden");

  function mergeAttributes(old, fresh) {
    for (const { name, value } of fresh.attributes)
      if (!isTheirs(old, name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes])
      if (!isTheirs(old, name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }

  function merge(old, fresh, added) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    mergeAttributes(old, fresh);
    mergeChildren(old, fresh, added);
  }

  // Elements with an id are found again wherever they have gone; the others by their place.
  function mergeChildren(parent, fresh, added) {
    const named = new Map([...parent.children].filter((child) => child.id).map((child) => [child.id, child]));
    const kept = new Set([...fresh.children].map((child) => child.id).filter(Boolean));
    let place = parent.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      while (place && place.id && !kept.has(place.id)) place = removed(place);
      let match = wanted.id ? named.get(wanted.id) : place;
      // what stands in between and is not wanted goes first: an element that is moved loses its focus
      if (wanted.id && match) while (place && place !== match && !kept.has(place.id)) place = removed(place);
      if (!match || !isSame(match, wanted)) {
        match = document.importNode(wanted, true);
        parent.insertBefore(match, place);
        if (match.nodeType === Node.ELEMENT_NODE) added.push(match);
        continue;
      }
      if (match === place) place = place.nextSibling;
      else parent.insertBefore(match, place);
      merge(match, wanted, added);
    }
    while (place) place = removed(place);
  }

  function removed(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  if (window.htmx) {
    htmx.defineExtension("calm", {
      isInlineSwap: (style) => style === "calm",
      handleSwap: (style, target, fragment) => {
        const fresh = fragment.firstElementChild;
        if (style !== "calm" || !fresh) return false;
        const added = [];
        merge(target, fresh, added);
        return added;
      },
    });
  }

  // --- trouble -------------------------------------------------------------------------------------------------------

  function tell(text, link) {
    if (trouble.dataset.said === text) return; // said once, so that screen readers do not repeat it
    trouble.dataset.said = text;
    trouble.replaceChildren(document.createTextNode(text));
    if (link) trouble.append(" ", link);
  }

  function loginLink() {
    const link = document.createElement("a");
    link.href = `${trouble.dataset.login}?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.textContent = "Log in again";
    return link;
  }

  function failed(event) {
    const status = event.detail.xhr ? event.detail.xhr.status : 0;
    if (status === 401) tell("Your session has ended; what you see is no longer live.", loginLink());
    else if (status === 404) tell("This is gone; what you see is how it was.");
    else tell("Warren does not answer. Trying again…");
  }

  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"])
    document.addEventListener(name, failed);
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status < 400 && trouble.dataset.said) {
      delete trouble.dataset.said;
      trouble.replaceChildren();
    }
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.detail.elt.hasAttribute("data-live")) event.preventDefault();
  });

  // a whole page that could not be shown
  const waiting = document.querySelector("[data-reload-when]");
  if (waiting) {
    const look = () =>
      fetch(waiting.dataset.reloadWhen, { cache: "no-store" })
        .then((answer) => (answer.ok ? location.reload() : setTimeout(look, 3000)))
        .catch(() => setTimeout(look, 3000));
    setTimeout(look, 3000);
  }

  // --- forms that were there before the last login -------------------------------------------------------------------

  // A login, in whichever window, makes the token of all pages anew; a form takes it along when it is sent.
  document.addEventListener("submit", (event) => {
    const field = event.target.elements.namedItem("csrfmiddlewaretoken");
    const [, token] = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie) || [];
    if (field && token) field.value = token;
  });

  // --- the theme -----------------------------------------------------------------------------------------------------

  const root = document.documentElement;
  document.getElementById("theme").addEventListener("click", () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("warren-theme", root.dataset.theme);
    } catch { /* then it holds for this page alone */ }
  });

  // --- choosing jobs -------------------------------------------------------------------------------------------------

  document.addEventListener("change", (event) => {
    const all = event.target;
    if (!all.matches("[data-choose-all]")) return;
    for (const box of document.querySelectorAll(`input[name="${all.dataset.chooseAll}"]`)) box.checked = all.checked;
  });
})();
