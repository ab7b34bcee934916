// A field in which typing filters names, after the ARIA Authoring Practices' combobox with a list.
"use strict";

const LISTED = 60;

// `names` returns all that can be chosen; `chosen` is called with one of them, or "" for none.
function searched(input, { names, chosen }) {
  const list = document.getElementById(input.getAttribute("aria-controls"));
  let last = "";
  let active = null; // the option that Enter takes

  function found() {
    const text = input.value === last ? "" : input.value.toLowerCase().trim();
    const words = text.split(/\s+/);
    const begins = (name) => name.toLowerCase().startsWith(text);
    const all = names().filter((name) => words.every((word) => name.toLowerCase().includes(word)));
    return [...all.filter(begins), ...all.filter((name) => !begins(name))];
  }

  function mark(option) {
    if (active) active.ariaSelected = "false";
    active = option ?? null;
    if (active) {
      active.ariaSelected = "true";
      active.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", active.id);
    } else input.removeAttribute("aria-activedescendant");
  }

  function close() {
    list.hidden = true;
    input.ariaExpanded = "false";
    mark(null);
  }

  function open() {
    const all = found();
    const options = all.slice(0, LISTED).map((textContent, place) => element("li", { id: `${list.id}-${place}`, textContent, role: "option", ariaSelected: "false" }));
    const more = all.length > LISTED ? `${all.length - LISTED} more: type` : all.length ? "" : "none";
    list.replaceChildren(...options, ...(more ? [element("li", { className: "note", role: "presentation", textContent: more })] : []));
    list.hidden = false;
    input.ariaExpanded = "true";
    mark(null);
  }

  function choose(name) {
    input.value = last = name;
    close();
    chosen(name);
  }

  input.addEventListener("input", () => {
    if (!input.value) choose("");
    open();
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", open);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) open();
      const options = [...list.querySelectorAll("[role=option]")];
      const step = event.key === "ArrowDown" ? 1 : -1;
      const from = active ? options.indexOf(active) : step > 0 ? -1 : 0;
      mark(options.at((from + step) % options.length));
    } else if (event.key === "Enter") {
      const option = list.hidden ? null : (active ?? list.querySelector("[role=option]"));
      if (option) choose(option.textContent);
    } else if (event.key === "Escape") {
      input.value = last;
      close();
    } else return;
    event.preventDefault();
  });
  input.addEventListener("blur", () => {
    input.value = last; // what was typed and not chosen
    close();
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option.textContent);
  });
  return { show: (name) => (input.value = last = name) };
}
