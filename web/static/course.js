// Small repairs of what the site's libraries leave open. Loaded deferred, after MathJax.
"use strict";

// The widget manager speaks to MathJax 2; the site has MathJax 3.
if (window.MathJax && !window.MathJax.Hub) {
  window.MathJax.Hub = {
    Queue: ([, , element]) => window.MathJax.startup.promise.then(() => window.MathJax.typesetPromise([element])),
  };
}

// A slider comes without a name, says the index of its value, and offers its value for editing; a
// new picture is not announced. Screen readers get the name, the value and the picture's alt text.
function describe(explorer) {
  for (const label of explorer.querySelectorAll(".widget-label[title=null]")) label.removeAttribute("title");
  for (const slider of explorer.querySelectorAll(".widget-hslider")) {
    const handle = slider.querySelector("[role=slider]");
    const readout = slider.querySelector(".widget-readout");
    if (!handle || !readout || handle.hasAttribute("aria-label")) continue;
    handle.setAttribute("aria-label", slider.querySelector(".widget-label").textContent);
    readout.removeAttribute("contenteditable");
    const say = () => handle.setAttribute("aria-valuetext", readout.textContent);
    new MutationObserver(say).observe(readout, { childList: true, characterData: true, subtree: true });
    say();
  }
  const pictures = explorer.lastElementChild;
  if (pictures !== explorer.firstElementChild) pictures.setAttribute("aria-live", "polite");
}
if (document.querySelector("script[type='application/vnd.jupyter.widget-view+json']")) {
  const describeAll = () => document.querySelectorAll(".explorer").forEach(describe);
  new MutationObserver(describeAll).observe(document.querySelector("article"), { childList: true, subtree: true });
  describeAll();
}

// What scrolls has to be reachable for the keyboard. The theme sees to code and tables, at the start
// and when the window changes; formulas are missing there, and what is opened later.
function reachFormulas() {
  for (const one of document.querySelectorAll("div.math mjx-container, span.math")) {
    if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
    else one.removeAttribute("tabindex");
  }
}
window.addEventListener("resize", reachFormulas);
document.addEventListener("toggle", () => window.dispatchEvent(new Event("resize")), true);
window.MathJax?.startup?.promise.then(reachFormulas);

// Paper is white: a dark page is printed in the light mode.
const root = document.documentElement;
let theme = null;
window.addEventListener("beforeprint", () => {
  theme = root.dataset.theme;
  root.dataset.theme = "light";
});
window.addEventListener("afterprint", () => {
  root.dataset.theme = theme;
});
