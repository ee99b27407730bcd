// "Look inside a language model": a workbench around language_model.js. A text in tokens; what each
// token looks at, in a head that the reader chooses; what may come next, and how it is chosen.
"use strict";

(() => {
  const SHOWN = 10; // candidates for the next token
  const AT_ONCE = 20; // tokens that "Write on" writes
  const COLOURS = 5;

  const percent = (share) =>
    share >= 0.995 && share < 1 ? "> 99 %" : share > 0 && share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`;

  function element(tag, content, kind = "", attributes = {}) {
    const one = document.createElement(tag);
    one.append(...[content].flat());
    if (kind) one.className = kind;
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
    return one;
  }
  const button = (content, kind, act, attributes = {}) => {
    const one = element("button", content, kind, { type: "button", ...attributes });
    one.addEventListener("click", act);
    return one;
  };

  const SIGNS = { " ": "␣", "\n": "⏎", "\t": "⇥" };
  // A token as people can read it: spaces as signs, bytes that are no whole character as ⟨numbers⟩.
  function readable(bytes) {
    const parts = [], strict = new TextDecoder("utf-8", { fatal: true });
    let broken = [];
    const close = () => {
      if (broken.length) parts.push(`⟨${broken.join(" ")}⟩`);
      broken = [];
    };
    for (let i = 0; i < bytes.length; ) {
      const first = bytes[i], length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
      try {
        const character = strict.decode(Uint8Array.from(bytes.slice(i, i + length)));
        close();
        parts.push(SIGNS[character] ?? character);
        i += length;
      } catch {
        broken.push(bytes[i++].toString(16).toUpperCase().padStart(2, "0"));
      }
    }
    close();
    return parts.join("");
  }
  const language = (text) => (/\p{Script=Hangul}/u.test(text) ? { lang: "ko" } : {});

  function begin(root) {
    const { tokenizer, adjust, draw, load } = window.courseLanguageModel;
    const form = root.querySelector("form"), input = form.querySelector("textarea");
    const said = root.querySelector(".look-said"), work = root.querySelector(".look-work");
    let data, words, model, turn = 0;
    let tokens = [], readings = [], cache; // what was read, and what the model said after each token
    let place = 0, block, head = 0; // the token and the head that are looked at; head -1: the mean of all
    const settings = { temperature: 1, topK: Infinity, topP: 1 };

    const name = (id) => readable(words.bytesOf(id));
    const refuse = (text) => said.replaceChildren(element("p", text, "look-refusal"));
    const say = (...content) => said.replaceChildren(element("p", content));

    // ---- Reading and writing ----

    function read(token) {
      readings.push(model.step(token, cache));
      tokens.push(token);
    }

    async function readText() {
      const mine = ++turn;
      data ??= JSON.parse(root.querySelector("script").textContent);
      words ??= tokenizer(data.tokenizer);
      const ids = [...data.begin, ...words.encode(input.value)], most = data.settings.max_length;
      if (ids.length === data.begin.length) return refuse("There is nothing to read yet: please type a beginning.");
      if (ids.length > most)
        return refuse(`Your text has ${ids.length} tokens, and the model has positions for ${most} only: please shorten it.`);
      try {
        model ??= await load(data);
      } catch {
        return refuse("This browser is too old to unpack the model: it has no DecompressionStream.");
      }
      if (mine !== turn) return;
      const start = performance.now();
      [tokens, readings, cache] = [[], [], model.start()];
      block ??= data.settings.n_layers - 1;
      ids.forEach(read);
      place = tokens.length - 1;
      const milliseconds = Math.max(1, Math.round(performance.now() - start));
      const bytes = new TextEncoder().encode(input.value).length;
      say(`Read ${ids.length} tokens (${bytes} bytes) in ${milliseconds} ms, in your browser; nothing was sent.`);
      show();
    }

    // Go on after the token at `place`, with a token that the reader or the dice have chosen.
    function append(token) {
      turn++;
      if (place + 1 >= data.settings.max_length) {
        refuse(`The model has ${data.settings.max_length} positions, and all are taken.`);
        return false;
      }
      keep(place + 1);
      read(token);
      place = tokens.length - 1;
      return true;
    }

    function keep(length) {
      model.forget(cache, length);
      tokens.length = readings.length = length;
      place = Math.min(place, length - 1);
    }

    function choose() {
      const dice = Math.random(), ordered = adjust(readings[place].scores, settings);
      const token = settings.temperature === 0 ? ordered[0].id : draw(ordered, dice);
      const { probability } = ordered.find(({ id }) => id === token);
      const way = settings.temperature === 0 ? "The most probable token: " : `The dice fell on ${dice.toFixed(3)}: `;
      return { token, line: [way, element("b", name(token), "", language(name(token))), ` (${percent(probability)})`] };
    }

    function writeOne() {
      const { token, line } = choose();
      if (append(token)) say(...line);
      show();
    }

    async function writeOn() {
      place = tokens.length - 1;
      const mine = ++turn;
      let written = 0;
      while (written < AT_ONCE) {
        const { token } = choose();
        if (words.isSpecial(token)) break;
        if (!append(token)) break;
        turn = mine;
        written++;
        show();
        await new Promise((go) => setTimeout(go, 30)); // so that people see it being written
        if (mine !== turn) return;
      }
      if (written) say(`Wrote ${written} tokens.`, written < AT_ONCE ? " Then the model ended the text." : "");
      else say("The model ends the text here.");
    }

    function takeBack() {
      turn++;
      if (tokens.length <= data.begin.length + 1) return refuse("One token has to stay: it is what the model reads.");
      const [last] = tokens.slice(-1);
      keep(tokens.length - 1);
      place = tokens.length - 1;
      say("Taken back: ", element("b", name(last), "", language(name(last))));
      show();
    }

    // ---- Showing ----

    // The shares of attention of a place: of one head, or the mean of all heads of the block.
    function sharesOf(n, h) {
      const heads = readings[place].looked[n];
      return h >= 0 ? heads[h] : heads[0].map((_, j) => heads.reduce((sum, one) => sum + one[j], 0) / heads.length);
    }

    // A row of buttons of which one is chosen: one stop of the Tab key, then the arrow keys.
    function row(buttons, chosen, go) {
      buttons.forEach((one, i) => {
        one.tabIndex = i === chosen ? 0 : -1;
        one.addEventListener("keydown", (event) => {
          const step = { ArrowRight: 1, ArrowLeft: -1, Home: -i, End: buttons.length - 1 - i }[event.key];
          if (step === undefined || !buttons[i + step]) return;
          event.preventDefault();
          go(i + step);
        });
      });
      return buttons;
    }

    function showTokens() {
      const shares = sharesOf(block, head);
      const chips = tokens.map((token, j) => {
        const share = shares[j], seen = j <= place;
        const bar = element("span", [], "look-bar", { style: `--share: ${seen ? 100 * share : 0}%` });
        const parts = [
          element("span", name(token), "look-text", language(name(token))),
          element("small", String(token), "look-id"), bar,
          element("small", seen ? percent(share) : "later", "look-share"),
        ];
        const kind = `look-token look-colour-${j % COLOURS}${seen ? "" : " look-later"}`;
        return button(parts, kind, () => select(j), { "aria-pressed": String(j === place) });
      });
      row(chips, place, (j) => select(j, true));
      return element("div", chips, "look-tokens", { role: "group", "aria-label": "The text in tokens" });
    }

    function select(j, focus = false) {
      place = j;
      show();
      if (focus) work.querySelector(".look-token[aria-pressed=true]").focus();
    }

    // All heads at once: of each the token that it looks at most.
    function showHeads() {
      const { n_layers: N, n_heads: H } = data.settings, cells = [];
      for (let n = 0; n < N; n++)
        for (let h = 0; h < H; h++) {
          const shares = sharesOf(n, h), most = shares.indexOf(Math.max(...shares)), text = name(tokens[most]);
          const parts = [
            element("span", `Block ${n + 1}, head ${h + 1}: `, "look-unseen"),
            element("span", text, "look-text", language(text)), element("small", percent(shares[most])),
          ];
          cells.push(button(parts, "look-head", () => pick(n * H + h), {
            "aria-pressed": String(n === block && h === head), style: `--share: ${100 * shares[most]}%`,
          }));
        }
      const pick = (i, focus = false) => {
        [block, head] = [Math.floor(i / H), i % H];
        show();
        if (focus) work.querySelector(".look-head[aria-pressed=true]").focus();
      };
      row(cells, block * H + Math.max(head, 0), (i) => pick(i, true));
      cells.forEach((cell, i) =>
        cell.addEventListener("keydown", (event) => {
          const to = i + ({ ArrowDown: H, ArrowUp: -H }[event.key] ?? 0);
          if (to === i || !cells[to]) return;
          event.preventDefault();
          pick(to, true);
        }));
      const rows = Array.from({ length: N }, (_, n) =>
        element("div", [element("span", `Block ${n + 1}`, "look-name"), ...cells.slice(n * H, (n + 1) * H)], "look-row"));
      const grid = element("div", rows, "look-heads", { role: "group", "aria-label": "All heads" });
      grid.style.setProperty("--heads", H);
      return grid;
    }

    function showNext() {
      const plain = new Map(adjust(readings[place].scores).map(({ id, probability }) => [id, probability]));
      const ordered = adjust(readings[place].scores, settings), after = tokens[place + 1];
      const kept = ordered.filter(({ probability }) => probability > 0).length;
      const wide = Math.max(ordered[0].probability, plain.get(ordered[0].id));
      const items = ordered.slice(0, SHOWN).map(({ id, probability }) => {
        const bar = element("span", [], "look-bar", {
          style: `--share: ${(100 * probability) / wide}%; --before: ${(100 * plain.get(id)) / wide}%`,
        });
        const text = element("span", name(id), "look-text", language(name(id)));
        const before = element("span", `, before the settings ${percent(plain.get(id))}`, "look-unseen");
        const parts = [text, bar, element("small", percent(probability), "look-share"), before];
        const act = () => {
          if (append(id)) say("You chose: ", element("b", name(id), "", language(name(id))));
          show();
        };
        const kind = `look-candidate${probability ? "" : " look-cut"}${id === after ? " look-came" : ""}`;
        return element("li", button(parts, kind, act));
      });
      const ten = ordered.slice(0, SHOWN).reduce((sum, { probability }) => sum + probability, 0);
      const lines = [`These ten have ${percent(ten)} together; ${kept.toLocaleString("en")} of ` +
        `${ordered.length.toLocaleString("en")} tokens are possible.`];
      if (after !== undefined) {
        const rank = ordered.findIndex(({ id }) => id === after) + 1;
        lines.push(` Here the text goes on with “${name(after)}”: place ${rank.toLocaleString("en")}, ` +
          `${percent(plain.get(after))} before the settings. Another choice cuts the text off here.`);
      }
      return [element("ol", items, "look-next"), element("p", lines, "look-hint")];
    }

    function show() {
      const here = name(tokens[place]);
      const heading = (...content) => element("p", content, "look-heading");
      const bold = element("b", here, "", language(here));
      const which = head < 0 ? `the mean of all heads of block ${block + 1}` : `head ${head + 1} of block ${block + 1}`;
      const focused = document.activeElement;
      const again = focused?.classList.contains("look-candidate") ? ".look-candidate" : null;
      work.querySelector(".look-attention").replaceChildren(
        heading("The text in tokens. Bars: where ", bold.cloneNode(true), ` looks, in ${which}`), showTokens());
      work.querySelector(".look-all-heads").replaceChildren(
        heading("All heads: what each of them looks at most. Choose one."), showHeads());
      work.querySelector(".look-after").replaceChildren(heading("What comes after ", bold, "? Choose, or let the dice choose."), ...showNext());
      if (again) work.querySelector(again)?.focus();
      work.hidden = false;
    }

    // ---- The controls ----

    const set = (what, value, text) => {
      settings[what] = value;
      work.querySelector(`[data-output="${what}"]`).textContent = text;
      if (readings.length) show();
    };
    const K = [1, 2, 3, 5, 10, 20, 50, 100, Infinity];
    const controls = {
      temperature: (value) => set("temperature", value / 10, value === 0 ? "0: always the first" : (value / 10).toFixed(1)),
      topK: (value) => set("topK", K[value], K[value] === Infinity ? "off" : String(K[value])),
      topP: (value) => set("topP", value / 20, value === 20 ? "off" : (value / 20).toFixed(2)),
    };
    for (const [what, act] of Object.entries(controls)) {
      const slider = work.querySelector(`[data-setting="${what}"]`);
      slider.addEventListener("input", () => act(Number(slider.value)));
    }
    const acts = { one: writeOne, on: writeOn, back: takeBack };
    for (const [what, act] of Object.entries(acts)) work.querySelector(`[data-act="${what}"]`).addEventListener("click", act);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      readText();
    });
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return; // Shift+Enter: a new line
      event.preventDefault();
      form.requestSubmit();
    });
    for (const one of form.querySelectorAll(".look-examples button"))
      one.addEventListener("click", () => {
        input.value = one.dataset.text;
        readText();
      });
    root.querySelector(".look-waits").remove();
    form.hidden = false;
  }

  document.querySelectorAll(".look-inside").forEach(begin);
})();
