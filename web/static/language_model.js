// A whole GPT, from a text to the probabilities of its next token, in plain JavaScript. It computes
// what companion/pretraining/gpt/model.py computes, with the weights that page.py packed. The parts
// (linear layers, normalisation, attention) are those of transformer.js.
"use strict";

window.courseLanguageModel = (() => {
  const { SPACES, unpack, add, dot, linear, softmax, layerNorm, attend, activations } =
    window.courseTransformer.parts;

  // ---- From a text to tokens, and back: byte pair encoding ---------------------------------------

  // The first cut, as in GPT-2: runs of letters, of digits, of signs, of spaces; tokens never cross it.
  const RUNS = new RegExp(
    `'(?:[stmd]|re|ve|ll)| ?\\p{L}+| ?\\p{N}+| ?[^${SPACES}\\p{L}\\p{N}]+|[${SPACES}]+(?![^${SPACES}])|[${SPACES}]+`,
    "gu",
  );

  // Each byte is written as a visible character: itself where it is one, else one from U+0100 on.
  const itself = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte < 256 && byte !== 173);
  const CHARACTER_OF = [];
  for (let byte = 0, next = 256; byte < 256; byte++)
    CHARACTER_OF.push(String.fromCharCode(itself(byte) ? byte : next++));
  const BYTE_OF = new Map(CHARACTER_OF.map((character, byte) => [character, byte]));

  function tokenizer({ tokens, merges, special }) {
    const ids = new Map(tokens.map((token, id) => [token, id]));
    const ranks = new Map(merges.map((pair, rank) => [pair, rank])); // "left right" to its rank
    const outside = special.length
      ? new RegExp(`(${special.map((token) => token.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "u")
      : /(?!)/u;

    // Merge the pair of the lowest rank, the leftmost first, until no pair is left that was learnt.
    function merge(word) {
      const parts = [...word];
      while (parts.length > 1) {
        let best = Infinity, place = -1;
        for (let i = 0; i + 1 < parts.length; i++) {
          const rank = ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
          if (rank < best) [best, place] = [rank, i];
        }
        if (place < 0) break;
        parts.splice(place, 2, parts[place] + parts[place + 1]);
      }
      return parts;
    }

    function encode(text) {
      const found = [];
      for (const piece of text.split(outside)) {
        if (special.includes(piece)) found.push(ids.get(piece));
        else
          for (const run of piece.match(RUNS) ?? []) {
            const bytes = [...new TextEncoder().encode(run)].map((byte) => CHARACTER_OF[byte]);
            found.push(...merge(bytes).map((part) => ids.get(part)));
          }
      }
      return found;
    }

    // A token may be a part of a character only: a row of bytes that is no text yet.
    const bytesOf = (id) =>
      special.includes(tokens[id])
        ? [...new TextEncoder().encode(tokens[id])]
        : [...tokens[id]].map((character) => BYTE_OF.get(character));
    const decode = (some) => new TextDecoder().decode(Uint8Array.from(some.flatMap(bytesOf)));
    return { encode, decode, bytesOf, isSpecial: (id) => special.includes(tokens[id]) };
  }

  // ---- The model ---------------------------------------------------------------------------------

  function model(weights, settings) {
    const { n_layers: N, n_heads: H, eps } = settings;
    const layer = (name) => ({ weight: weights[`${name}.weight`], bias: weights[`${name}.bias`] });
    const norm = (name, x) => layerNorm(layer(name), x, eps);
    const activation = activations[settings.activation];
    const head = weights["head.weight"] ?? weights["tokens.weight"]; // (V, D)

    // What it keeps of the tokens that it has read: their keys and values, in each block.
    const start = () => Array.from({ length: N }, () => ({ keys: [], values: [] }));

    // Read one token: x = E(token) + P(position), then in each block x + attention, x + feed-forward.
    // The cache holds this token and those before it, and none that comes later: no mask is needed.
    function step(token, cache) {
      const position = cache[0].keys.length;
      let x = add(weights["tokens.weight"][token], weights["body.positions.weight"][position]);
      const looked = cache.map((kept, n) => {
        const block = `body.blocks.${n}`, attention = `${block}.attention`;
        let read = norm(`${block}.attention_norm`, x);
        kept.keys.push(linear(layer(`${attention}.key`), read));
        kept.values.push(linear(layer(`${attention}.value`), read));
        const found = attend(linear(layer(`${attention}.query`), read), kept.keys, kept.values, H);
        x = add(x, linear(layer(`${attention}.output`), found.output));
        read = norm(`${block}.feed_forward_norm`, x);
        const inner = linear(layer(`${block}.feed_forward.inner`), read).map(activation);
        x = add(x, linear(layer(`${block}.feed_forward.outer`), inner));
        return found.weights; // (H, S)
      });
      x = norm("body.norm", x);
      return { scores: Float32Array.from(head, (row) => dot(row, x)), looked };
    }

    // Forget all but the first tokens.
    function forget(cache, length) {
      for (const kept of cache) kept.keys.length = kept.values.length = Math.min(length, kept.keys.length);
    }
    return { start, step, forget };
  }

  // ---- From scores to probabilities --------------------------------------------------------------

  // The most probable first. Temperature: scores / t; top-k: the k best; top-p: of these the fewest
  // that have the share p together. What is cut off has the probability 0.
  function adjust(scores, { temperature = 1, topK = Infinity, topP = 1 } = {}) {
    const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
    const best = scores[order[0]];
    if (temperature === 0) return order.map((id, rank) => ({ id, probability: rank ? 0 : 1 }));
    const last = scores[order[Math.min(topK, order.length) - 1]];
    let powers = order.map((id) => (scores[id] >= last ? Math.exp((scores[id] - best) / temperature) : 0));
    let sum = powers.reduce((a, b) => a + b, 0), before = 0;
    powers = powers.map((power, rank) => {
      const kept = rank === 0 || topP >= 1 || before / sum < topP ? power : 0;
      before += power;
      return kept;
    });
    sum = powers.reduce((a, b) => a + b, 0);
    return order.map((id, rank) => ({ id, probability: powers[rank] / sum }));
  }

  // A number from 0 to 1 chooses: the tokens stand in a row, each as wide as it is probable.
  function draw(ordered, dice) {
    let sum = 0;
    for (const one of ordered) if ((sum += one.probability) > dice) return one.id;
    return ordered.findLast(({ probability }) => probability > 0).id;
  }

  const load = async (packed) => model(await unpack(packed), packed.settings);
  return { tokenizer, adjust, draw, load, softmax };
})();
