// A whole Transformer, from a sentence to its translation, in plain JavaScript. It computes what
// companion/transformer/translation/model.py computes, with the weights that page.py packed.
// A vector is a Float32Array; a sequence is a list of vectors, one per token.
"use strict";

window.courseTransformer = (() => {
  const [PAD, UNK, BOS, EOS] = [0, 1, 2, 3];

  // ---- Reading the weights: texts -> bytes -> numbers --------------------------------------------

  // A matrix is kept as 8-bit integers q: w_ij = s_i q_ij, with one scale s_i for each row.
  async function unpack(packed) {
    const bytes = Uint8Array.from(atob(packed.weights), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const buffer = await new Response(stream).arrayBuffer();
    const shapes = Object.entries(packed.shapes);
    const nFloats = shapes.reduce((sum, [, [rows]]) => sum + rows, 0);
    const floats = new Float32Array(buffer, 0, nFloats), integers = new Int8Array(buffer, 4 * nFloats);
    const weights = {};
    let floatAt = 0, integerAt = 0;
    for (const [name, [rows, columns]] of shapes) {
      const numbers = floats.subarray(floatAt, (floatAt += rows));
      weights[name] = columns === undefined ? numbers : Array.from({ length: rows }, (_, i) =>
        Float32Array.from(integers.subarray(integerAt, (integerAt += columns)), (q) => numbers[i] * q));
    }
    if (packed.settings.share_embeddings)
      weights["source_embedding.weight"] = weights["target_embedding.weight"];
    return weights;
  }

  // ---- From text to tokens: white space and punctuation marks cut --------------------------------

  const SPACES = "\\t\\n\\v\\f\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
  const MARKS = "!-\\/:-@\\[-`{-~\\p{P}"; // all ASCII signs, and what Unicode calls punctuation
  const TOKEN = new RegExp(`[${MARKS}]|[^${SPACES}${MARKS}]+`, "gu");
  const split = (text) => text.normalize("NFC").match(TOKEN) ?? [];

  // ---- The parts ---------------------------------------------------------------------------------

  const add = (x, y) => x.map((number, i) => number + y[i]);

  function dot(x, y, from = 0, to = x.length) {
    let sum = 0;
    for (let i = from; i < to; i++) sum += x[i] * y[i];
    return sum;
  }

  // y = W x + b
  const linear = ({ weight, bias }, x) => Float32Array.from(weight, (row, i) => dot(row, x) + bias[i]);

  // softmax(x)_i = exp(x_i) / sum over j of exp(x_j); the largest is subtracted, so that none overflows
  function softmax(x) {
    const largest = x.reduce((a, b) => Math.max(a, b));
    const powers = x.map((number) => Math.exp(number - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  }

  // LayerNorm(x) = weight (x - mean) / sqrt(variance + eps) + bias
  function layerNorm({ weight, bias }, x, eps = 1e-5) {
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    const variance = x.reduce((sum, number) => sum + (number - mean) ** 2, 0) / x.length;
    const scale = 1 / Math.sqrt(variance + eps);
    return x.map((number, i) => weight[i] * (number - mean) * scale + bias[i]);
  }

  // GELU(x) = x (1 + erf(x / sqrt 2)) / 2, with erf from Abramowitz and Stegun (1964), 7.1.26
  function gelu(x) {
    const z = Math.abs(x) / Math.SQRT2, t = 1 / (1 + 0.3275911 * z);
    const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return (x * (1 + Math.sign(x) * (1 - sum * Math.exp(-z * z)))) / 2;
  }
  // and as GPT-2 computes it, nearly the same: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  const geluTanh = (x) => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2;
  const activations = { relu: (x) => Math.max(0, x), gelu, gelu_tanh: geluTanh };

  // One query attends to S keys, in H heads of d numbers each:
  // a = softmax over the keys of q . k / sqrt(d), output = sum of a_j v_j, the heads side by side.
  function attend(query, keys, values, nHeads) {
    const d = query.length / nHeads, output = new Float32Array(query.length), weights = [];
    for (let from = 0; from < query.length; from += d) {
      const shares = softmax(keys.map((key) => dot(query, key, from, from + d) / Math.sqrt(d)));
      shares.forEach((share, j) => {
        for (let i = from; i < from + d; i++) output[i] += share * values[j][i];
      });
      weights.push(shares); // (H, S)
    }
    return { output, weights };
  }

  // PE(p)[2 i] = sin(p w_i), PE(p)[2 i + 1] = cos(p w_i), with w_i = 10000 ** (-2 i / D)
  function positionOf(p, D) {
    return Float32Array.from({ length: D }, (_, i) => {
      const angle = p * 10000 ** (-(i - (i % 2)) / D);
      return i % 2 ? Math.cos(angle) : Math.sin(angle);
    });
  }

  // ---- The whole ---------------------------------------------------------------------------------

  function translator(weights, settings) {
    const { d_model: D, n_heads: H, norm_first: normFirst } = settings;
    const layer = (name) => ({ weight: weights[`${name}.weight`], bias: weights[`${name}.bias`] });
    const activation = activations[settings.activation];

    // s E(token) + PE(position), with s = sqrt(D) where the settings name no other
    const scale = settings.embedding_scale || Math.sqrt(D);
    const embed = (side, token, position) =>
      add(weights[`${side}_embedding.weight`][token].map((number) => number * scale), positionOf(position, D));

    // A part F in its residual connection: x + F(norm(x)) with pre-norm, norm(x + F(x)) with post-norm.
    // With pre-norm, one more normalisation follows the last block.
    const before = (norm, x) => (normFirst ? layerNorm(layer(norm), x) : x);
    const residual = (x, norm, part) =>
      normFirst ? add(x, part(before(norm, x))) : layerNorm(layer(norm), add(x, part(x)));

    const feedForward = (block) => (x) =>
      linear(layer(`${block}.outer`), linear(layer(`${block}.inner`), x).map(activation));
    const keysOf = (attention, sequence) => sequence.map((x) => linear(layer(`${attention}.key`), x));
    const valuesOf = (attention, sequence) => sequence.map((x) => linear(layer(`${attention}.value`), x));
    const attention = (name, keys, values, look = () => {}) => (x) => {
      const { output, weights: shares } = attend(linear(layer(`${name}.query`), x), keys, values, H);
      look(shares);
      return linear(layer(`${name}.output`), output);
    };

    // Each block of the encoder: self-attention over the whole sentence, then the feed-forward network.
    function encode(tokens) {
      let sequence = tokens.map((token, place) => embed("source", token, place));
      for (let n = 0; n < settings.n_encoder_layers; n++) {
        const block = `encoder.blocks.${n}`, norm = `${block}.attention_norm`;
        const read = sequence.map((x) => before(norm, x));
        const keys = keysOf(`${block}.attention`, read), values = valuesOf(`${block}.attention`, read);
        sequence = sequence
          .map((x) => residual(x, norm, attention(`${block}.attention`, keys, values)))
          .map((x) => residual(x, `${block}.feed_forward_norm`, feedForward(`${block}.feed_forward`)));
      }
      return sequence.map((x) => before("encoder.norm", x));
    }

    // What the decoder keeps: the keys and values of the memory, and of the tokens that it has read.
    const start = (memory) =>
      Array.from({ length: settings.n_decoder_layers }, (_, n) => {
        const cross = `decoder.blocks.${n}.cross_attention`;
        return { keys: [], values: [], memoryKeys: keysOf(cross, memory), memoryValues: valuesOf(cross, memory) };
      });

    // Read one token; return P(next token) and where the last block's cross-attention looked. No mask is
    // needed: the cache holds this token and those before it, and none that comes later.
    function step(token, position, cache) {
      let y = embed("target", token, position), looked;
      cache.forEach((kept, n) => {
        const block = `decoder.blocks.${n}`, norm = `${block}.attention_norm`;
        kept.keys.push(...keysOf(`${block}.attention`, [before(norm, y)]));
        kept.values.push(...valuesOf(`${block}.attention`, [before(norm, y)]));
        y = residual(y, norm, attention(`${block}.attention`, kept.keys, kept.values));
        const look = (shares) => (looked = shares); // (H, S), kept from the last block
        const cross = attention(`${block}.cross_attention`, kept.memoryKeys, kept.memoryValues, look);
        y = residual(y, `${block}.cross_attention_norm`, cross);
        y = residual(y, `${block}.feed_forward_norm`, feedForward(`${block}.feed_forward`));
      });
      y = before("decoder.norm", y);
      const scores = weights["target_embedding.weight"].map((row) => dot(row, y)); // the embeddings again
      return { probabilities: softmax(scores), looked };
    }

    // Greedy decoding: always the most probable token, until [EOS] or the limit.
    function translate(tokens, limit) {
      const cache = start(encode(tokens)), written = [];
      for (let token = BOS, position = 0; position < limit; position++) {
        const { probabilities, looked } = step(token, position, cache);
        const allowed = probabilities.map((p, id) => (id === PAD || id === BOS ? 0 : p));
        token = allowed.indexOf(allowed.reduce((a, b) => Math.max(a, b)));
        if (token === EOS) return { written, finished: true, end: probabilities[EOS] };
        const mean = tokens.map((_, j) => looked.reduce((sum, head) => sum + head[j], 0) / H);
        written.push({ token, probability: probabilities[token], looked: mean });
      }
      return { written, finished: false };
    }
    return { translate };
  }

  const parts = { SPACES, unpack, add, dot, linear, softmax, layerNorm, attend, activations };
  return { UNK, split, parts, load: async (packed) => translator(await unpack(packed), packed.settings) };
})();
