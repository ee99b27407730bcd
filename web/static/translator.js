// "Try your own sentence": a form around transformer.js, which says what its model does not know.
"use strict";

(() => {
  const RARE = 5; // a word that was seen less often is named as rare
  const UNSURE = 0.5; // so is a word of the answer with a smaller probability
  const ENDS = [".", "!", "?"];

  // Cut, not rounded: what is under 50 % is not shown as 50 %.
  const percent = (share) => (share > 0.99 && share < 1 ? "over 99 %" : `${Math.floor(100 * share)} %`);
  const times = (n) => (n === 0 ? "never seen" : n === 1 ? "seen once" : `seen ${n.toLocaleString("en")} times`);
  // As a sentence is printed: no space before a mark, none around an apostrophe.
  const tidy = (words) => words.join(" ").replace(/ ([.,!?;:)\]])/g, "$1").replace(/ ' ?/g, "'");
  const note = (text) => ({ doubt: false, text });
  const doubt = (text) => ({ doubt: true, text });

  function element(tag, content, kind = "", attributes = {}) {
    const one = document.createElement(tag);
    one.append(...[content].flat());
    if (kind) one.className = kind;
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
    return one;
  }

  // Before translating: the tokens of a text, with what there is to say about them; or a refusal.
  function examine(text, packed, vocabulary) {
    const { split, UNK } = window.courseTransformer;
    const [source, target] = packed.languages;
    const isWord = (word) => /[\p{L}\p{N}]/u.test(word);
    const words = split(text), notes = [];
    if (!words.length) return { refusal: "There is nothing to translate yet: please type a sentence." };
    if (!words.some(isWord)) return { refusal: "There is no word in this text." };
    if (!new RegExp(`\\p{Script=${packed.script}}`, "u").test(text.normalize("NFC")))
      return {
        refusal: `This direction reads ${source}, and your text has no ${source} letter in it. ` +
          `For a sentence in ${target}, choose the other direction.`,
      };
    const begins = words.filter((word, i) => i && ENDS.includes(words[i - 1]) && !ENDS.includes(word));
    if (begins.length + 1 > packed.sentences)
      return {
        refusal: `This looks like ${begins.length + 1} sentences. The model has learnt from texts of ` +
          `${packed.sentences === 1 ? "one sentence" : `at most ${packed.sentences} sentences`}: please shorten it.`,
      };
    if (packed.ending && !ENDS.includes(words.at(-1))) {
      words.push(packed.ending);
      notes.push(note("A full stop was added, as every sentence that the model learnt from ends with one."));
    }
    if (words.length > packed.settings.max_length)
      return {
        refusal: `Your text has ${words.length} words and marks, and the model has positions for ` +
          `${packed.settings.max_length} only: please shorten it.`,
      };
    const tokens = words.map((word) => {
      const number = vocabulary.get(word) ?? UNK;
      const count = packed.counts[number]; // of [UNK] itself: 0
      return { word, number: count ? number : UNK, count };
    });
    const different = [...new Map(tokens.map((token) => [token.word, token])).values()];
    const unseen = different.filter(({ count }) => count === 0).map(({ word }) => word);
    const rare = different.filter(({ count }) => count > 0 && count < RARE);
    if (different.every(({ word, count }) => count === 0 || !isWord(word)))
      return {
        refusal: `The model has never seen: ${unseen.filter(isWord).join(", ")}. That is every word of your ` +
          "text, so there is nothing that it could translate, and it does not try.",
      };
    if (rare.length) {
      const listed = rare.map(({ word, count }) => `${word} (${times(count)})`).join(", ");
      notes.unshift(doubt(`Rare words, which it has hardly learnt to use: ${listed}.`));
    }
    if (unseen.length) {
      const small = new Map([...vocabulary.keys()].map((word) => [word.toLowerCase(), word]));
      const near = unseen.map((word) => small.get(word.toLowerCase())).filter(Boolean);
      if (near.length) notes.unshift(note(`With capital letters in other places it knows: ${near.join(", ")}.`));
      notes.unshift(doubt(
        `The model has never seen: ${unseen.join(", ")}. It reads a blank, [UNK], there; ` +
          `what it writes for ${unseen.length === 1 ? "it" : "them"} is a guess.`,
      ));
    }
    if (tokens.length > packed.longest)
      notes.push(doubt(
        `Your sentence has ${tokens.length} words and marks; the longest that the model learnt from had ` +
          `${packed.longest}.`,
      ));
    return { tokens, notes };
  }

  // After translating: what speaks against the answer.
  function question({ written, finished, end }, words, limit) {
    const found = [];
    const unsure = written.filter(({ probability }) => probability < UNSURE);
    const listed = unsure.map(({ token, probability }) => `${words[token]} (${percent(probability)})`).join(", ");
    if (unsure.length) found.push(`It was not sure of: ${listed}.`);
    if (finished && end < UNSURE) found.push(`It was not sure that its sentence ends here (${percent(end)}).`);
    if (!finished) found.push(`It found no end: the answer was cut after ${limit} words and marks.`);
    if (written.some(({ token }) => token === window.courseTransformer.UNK)) found.push("It wrote a blank, [UNK].");
    if (!written.length) found.push("It wrote nothing.");
    return found.map(doubt);
  }

  // Two rows of words: what was read, with counts, and what was written, with probabilities. A word of
  // the answer that is focused or pointed at shows its attention weights in the first row.
  function explain(tokens, { written }, words, [from, to]) {
    const weak = (isWeak) => (isWeak ? "translator-word translator-weak" : "translator-word");
    const looked = element("p", [], "translator-looked", { role: "status" });
    const shares = tokens.map(() => element("small", []));
    const read = tokens.map(({ word, count }, j) => {
      const parts = [element("span", word, "", { lang: from }), element("small", times(count)), shares[j]];
      return element("span", parts, weak(count < RARE));
    });
    const answer = written.map(({ token, probability, looked: weights }) => {
      const parts = [element("span", words[token], "", { lang: to }), element("small", percent(probability))];
      const attributes = { type: "button", "aria-pressed": "false" };
      const button = element("button", parts, weak(probability < UNSURE), attributes);
      const look = () => {
        for (const other of answer) other.setAttribute("aria-pressed", String(other === button));
        weights.forEach((weight, j) => {
          read[j].style.setProperty("--share", `${100 * weight}%`);
          shares[j].textContent = `attention ${percent(weight)}`;
        });
        const most = weights.indexOf(Math.max(...weights));
        looked.replaceChildren(
          "While it wrote ", element("b", words[token], "", { lang: to }),
          ", its last block looked most at ", element("b", tokens[most].word, "", { lang: from }),
          ` (${percent(weights[most])}).`,
        );
      };
      for (const event of ["focus", "mouseenter", "click"]) button.addEventListener(event, look);
      return button;
    });
    return [
      element("p", "What it read", "translator-heading"),
      element("div", read, "translator-words"),
      looked,
      element("p", "What it wrote, and how probable it found each word", "translator-heading"),
      element("div", answer, "translator-words"),
    ];
  }

  function begin(root) {
    const [form, answer, details] = ["form", ".translator-answer", ".translator-details"]
      .map((selector) => root.querySelector(selector));
    const select = form.querySelector("select"), input = form.querySelector("input");
    const examples = [...form.querySelectorAll("[data-model]")];
    const models = []; // one promise for each, made at its first use
    let data, turn = 0;

    function clear() {
      turn++; // an answer that is still to come is no longer wanted
      answer.replaceChildren();
      details.replaceChildren();
    }

    function choose() {
      clear();
      for (const one of examples) one.hidden = Number(one.dataset.model) !== select.selectedIndex;
      input.lang = examples.find((one) => !one.hidden)?.lang ?? "";
    }

    const refuse = (text) => answer.replaceChildren(element("p", text, "translator-refusal"));

    async function translate() {
      clear();
      const mine = turn, index = select.selectedIndex;
      data ??= JSON.parse(root.querySelector("script").textContent);
      const packed = data.models[index], words = data.vocabularies[packed.target_words];
      packed.vocabulary ??= new Map(data.vocabularies[packed.source_words].map((word, number) => [word, number]));
      const { refusal, tokens, notes } = examine(input.value, packed, packed.vocabulary);
      if (refusal) return refuse(refusal);
      let model;
      try {
        model = await (models[index] ??= window.courseTransformer.load(packed));
      } catch {
        return refuse("This browser is too old to unpack the model: it has no DecompressionStream.");
      }
      if (mine !== turn) return;
      const limit = Math.min(data.limit, packed.settings.max_length), start = performance.now();
      const found = model.translate(tokens.map(({ number }) => number), limit);
      const milliseconds = Math.max(1, Math.round(performance.now() - start));
      const said = [...notes, ...question(found, words, limit)];
      const doubtful = said.some((one) => one.doubt);
      const lines = said.map((one) => element("li", one.text, one.doubt ? "translator-doubt" : ""));
      const verdict = doubtful ? "Do not trust this translation:" : "Translation:";
      const text = tidy(found.written.map(({ token }) => words[token]));
      const sentence = element("b", text, "", { lang: packed.marks[1] });
      const kind = doubtful ? "translator-result translator-doubtful" : "translator-result";
      const list = lines.length ? [element("ul", lines)] : [];
      answer.replaceChildren(...list, element("p", [`${verdict} `, sentence], kind));
      const hint =
        "Go to a word of the answer, with the mouse or the Tab key, to see where the model looked when it " +
        `wrote it. Computed in your browser in ${milliseconds} ms; nothing was sent.`;
      details.replaceChildren(...explain(tokens, found, words, packed.marks), element("p", hint, "translator-hint"));
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      translate();
    });
    select.addEventListener("change", choose);
    for (const one of examples)
      one.addEventListener("click", () => {
        input.value = one.textContent;
        translate();
      });
    choose();
    root.querySelector(".translator-waits").remove();
    form.hidden = false;
  }

  document.querySelectorAll(".translator").forEach(begin);
})();
