"""A transformer of Llama's kind in numpy, forwards and backwards: RMS norms, rotary positions over neighbouring pairs
(llama.cpp's "norm" kind), attention, a gated feed-forward, and one matrix for input and output tokens."""

from dataclasses import dataclass

import numpy as np

EPSILON = 1e-5
ROPE_BASE = 10_000.0


@dataclass(frozen=True)
class Shape:
    tokens: int
    width: int = 128
    layers: int = 4
    heads: int = 4
    hidden: int = 384

    @property
    def head(self):
        return self.width // self.heads


def initial_weights(shape, random):
    def matrix(rows, columns, gain=1.0):
        return (random.standard_normal((rows, columns)) * gain / np.sqrt(rows)).astype(np.float32)

    narrow = 1 / np.sqrt(2 * shape.layers)  # what is added to the stream, as in GPT-2
    weights = {
        "token_embd": (random.standard_normal((shape.tokens, shape.width)) * 0.05).astype(np.float32),
        "output_norm": np.ones(shape.width, np.float32),
    }
    for layer in range(shape.layers):
        weights |= {
            f"blk.{layer}.attn_norm": np.ones(shape.width, np.float32),
            f"blk.{layer}.attn_q": matrix(shape.width, shape.width),
            f"blk.{layer}.attn_k": matrix(shape.width, shape.width),
            f"blk.{layer}.attn_v": matrix(shape.width, shape.width),
            f"blk.{layer}.attn_output": matrix(shape.width, shape.width, narrow),
            f"blk.{layer}.ffn_norm": np.ones(shape.width, np.float32),
            f"blk.{layer}.ffn_gate": matrix(shape.width, shape.hidden),
            f"blk.{layer}.ffn_up": matrix(shape.width, shape.hidden),
            f"blk.{layer}.ffn_down": matrix(shape.hidden, shape.width, narrow),
        }
    return weights


def loss_and_gradients(weights, shape, ids, targets, counts):
    """Mean cross-entropy over the positions where `counts` is 1, and its gradient for each weight."""
    scores, tape = forward(weights, shape, ids)
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    total = counts.sum()
    rows = np.arange(targets.size)
    flat = scores.reshape(-1, shape.tokens)
    chosen = flat[rows, targets.ravel()]
    loss = float(-(np.log(chosen + 1e-9) * counts.ravel()).sum() / total)
    flat[rows, targets.ravel()] -= 1
    flat *= (counts.ravel() / total)[:, None].astype(flat.dtype)
    return loss, backward(weights, shape, ids, tape, scores)


def forward(weights, shape, ids):
    """Scores of the next token at each position, and what the way back needs."""
    x = weights["token_embd"][ids]
    turn = rotation(ids.shape[1], shape.head, x.dtype)
    tape = []
    for layer in range(shape.layers):
        w = {name: weights[f"blk.{layer}.{name}"] for name in LAYER_WEIGHTS}
        normed, norm1 = rms_norm(x, w["attn_norm"])
        q, k, v = (heads(normed @ w[name], shape) for name in ("attn_q", "attn_k", "attn_v"))
        q, k = rotate(q, turn), rotate(k, turn)
        mix = attention_weights(q, k, shape)
        mixed = unheads(mix @ v)
        x = x + mixed @ w["attn_output"]
        normed2, norm2 = rms_norm(x, w["ffn_norm"])
        gate, up = normed2 @ w["ffn_gate"], normed2 @ w["ffn_up"]
        sigmoid = 1 / (1 + np.exp(-gate))
        hidden = gate * sigmoid * up
        x = x + hidden @ w["ffn_down"]
        tape.append((w, norm1, normed, q, k, v, mix, mixed, norm2, normed2, gate, up, sigmoid, hidden))
    last, norm = rms_norm(x, weights["output_norm"])
    tape.append((turn, norm, last))
    return last @ weights["token_embd"].T, tape


def backward(weights, shape, ids, tape, d_scores):
    gradients = {}
    turn, norm, last = tape[-1]
    gradients["token_embd"] = flat(d_scores).T @ flat(last)
    dx, gradients["output_norm"] = rms_norm_back(d_scores @ weights["token_embd"], norm, weights["output_norm"])
    for layer in reversed(range(shape.layers)):
        w, norm1, normed, q, k, v, mix, mixed, norm2, normed2, gate, up, sigmoid, hidden = tape[layer]
        g = {"ffn_down": flat(hidden).T @ flat(dx)}
        d_hidden = dx @ w["ffn_down"].T
        d_up = d_hidden * gate * sigmoid
        d_gate = d_hidden * up * sigmoid * (1 + gate * (1 - sigmoid))
        g["ffn_gate"], g["ffn_up"] = flat(normed2).T @ flat(d_gate), flat(normed2).T @ flat(d_up)
        d_norm, g["ffn_norm"] = rms_norm_back(d_gate @ w["ffn_gate"].T + d_up @ w["ffn_up"].T, norm2, w["ffn_norm"])
        dx = dx + d_norm

        g["attn_output"] = flat(mixed).T @ flat(dx)
        d_mixed = heads(dx @ w["attn_output"].T, shape)
        d_mix = d_mixed @ v.swapaxes(-1, -2)
        d_v = mix.swapaxes(-1, -2) @ d_mixed
        d_raw = mix * (d_mix - (d_mix * mix).sum(-1, keepdims=True)) / np.sqrt(shape.head).astype(mix.dtype)
        d_q, d_k = rotate(d_raw @ k, turn, back=True), rotate(d_raw.swapaxes(-1, -2) @ q, turn, back=True)
        d_normed = 0
        for name, d in (("attn_q", d_q), ("attn_k", d_k), ("attn_v", d_v)):
            d = unheads(d)
            g[name] = flat(normed).T @ flat(d)
            d_normed = d_normed + d @ w[name].T
        d_norm, g["attn_norm"] = rms_norm_back(d_normed, norm1, w["attn_norm"])
        dx = dx + d_norm
        gradients |= {f"blk.{layer}.{name}": value for name, value in g.items()}
    np.add.at(gradients["token_embd"], ids.ravel(), flat(dx))
    return gradients


LAYER_WEIGHTS = (
    "attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down".split()
)


def flat(x):
    return x.reshape(-1, x.shape[-1])


def heads(x, shape):
    return x.reshape(*x.shape[:2], shape.heads, shape.head).transpose(0, 2, 1, 3)


def unheads(x):
    batch, count, length, size = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, length, count * size)


def attention_weights(q, k, shape):
    raw = q @ k.swapaxes(-1, -2) / np.sqrt(shape.head).astype(q.dtype)
    length = raw.shape[-1]
    raw[..., np.triu(np.ones((length, length), bool), 1)] = -1e9
    raw -= raw.max(-1, keepdims=True)
    np.exp(raw, out=raw)
    raw /= raw.sum(-1, keepdims=True)
    return raw


def rotation(length, size, dtype):
    angles = np.arange(length)[:, None] * ROPE_BASE ** (-np.arange(0, size, 2) / size)
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)


def rotate(x, turn, back=False):
    cos, sin = turn
    if back:
        sin = -sin
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = np.empty_like(x)
    turned[..., 0::2] = even * cos - odd * sin
    turned[..., 1::2] = even * sin + odd * cos
    return turned


def rms_norm(x, gain):
    scale = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON)
    return x * scale * gain, (x, scale)


def rms_norm_back(d, norm, gain):
    x, scale = norm
    d_gain = flat(d * x * scale).sum(0)
    d = d * gain
    return d * scale - x * scale**3 * (d * x).mean(-1, keepdims=True), d_gain
