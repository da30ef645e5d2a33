"""Trains Postern's demo model and writes it as a GGUF file. Debian's python3 and python3-numpy are all it needs, with
libopenblas0-pthread to be quick. See README.md.

    OPENBLAS_NUM_THREADS=1 nice /usr/bin/python3 scripts/demo-model/train.py [--check] [--steps N] [--out FILE]
"""

import argparse
import time
from pathlib import Path

import numpy as np

import gguf
from lessons import HERE, Lessons, bare, read_lessons, read_systems
from network import EPSILON, ROPE_BASE, Shape, forward, initial_weights, loss_and_gradients
from tokenizer import ASSISTANT, BEGIN, END, FIRST_BYTE, FIRST_PIECE, UNKNOWN, USER, Tokenizer, learn_pieces

SEED = 31_145
VOCABULARY = 1_024
BATCH, LENGTH = 14, 192
PEAK_RATE, WARM_UP = 4e-3, 40
BETAS, DECAY, CLIP = (0.9, 0.98), 0.02, 1.0
CONTEXT = 1_024
OUT = HERE.parent.parent / "tee-bot" / "engine" / "demo" / "postern-demo.gguf"
NAME = "Postern demo"
DESCRIPTION = "A toy that has learnt a few sentences about Postern by heart."

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ '<|assistant|>' + message['content'] + eos_token }}"
    "{% else %}{{ '<|' + message['role'] + '|>' + message['content'] }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--steps", type=int, default=900)
    arguments.add_argument("--out", type=Path, default=OUT)
    arguments.add_argument("--check", action="store_true", help="compare the gradients with finite differences")
    options = arguments.parse_args()
    if options.check:
        return check_gradients()

    random = np.random.default_rng(SEED)
    tokenizer = learn_tokenizer()
    shape = Shape(tokens=tokenizer.size)
    weights = initial_weights(shape, random)
    print(f"{sum(w.size for w in weights.values()):,} parameters, {tokenizer.size} tokens", flush=True)
    train(weights, shape, Lessons(tokenizer, random), options.steps)
    report(weights, shape, tokenizer)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write(options.out, weights, shape, tokenizer)
    print(f"{options.out}: {options.out.stat().st_size:,} bytes")


def learn_tokenizer():
    texts = [text for questions, answer in read_lessons() for text in [*questions, answer, answer]] + read_systems()
    return Tokenizer(learn_pieces(texts + [text.lower() for text in texts], VOCABULARY))


def train(weights, shape, lessons, steps):
    """AdamW with a warm start and a cosine towards nothing."""
    moments = {name: (np.zeros_like(w), np.zeros_like(w)) for name, w in weights.items()}
    began = time.monotonic()
    for step in range(1, steps + 1):
        rate = PEAK_RATE * min(step / WARM_UP, 0.5 * (1 + np.cos(np.pi * step / steps)) + 0.01)
        loss, gradients = loss_and_gradients(weights, shape, *lessons.batch(BATCH, LENGTH))
        norm = np.sqrt(sum(float((g * g).sum()) for g in gradients.values()))
        for name, gradient in gradients.items():
            gradient = gradient * min(1.0, CLIP / norm)
            mean, square = moments[name]
            mean += (1 - BETAS[0]) * (gradient - mean)
            square += (1 - BETAS[1]) * (gradient * gradient - square)
            move = mean / (1 - BETAS[0] ** step) / (np.sqrt(square / (1 - BETAS[1] ** step)) + 1e-8)
            if weights[name].ndim == 2:
                move = move + DECAY * weights[name]
            weights[name] -= (rate * move).astype(np.float32)
        if step % 20 == 0 or step == 1:
            print(f"step {step:4} loss {loss:.4f} {time.monotonic() - began:.0f} s", flush=True)


def report(weights, shape, tokenizer):
    """How many questions are answered word for word: as they stand in the text, and in ways it does not have."""
    forms = {
        "as written": lambda question: question,
        "in small letters, without punctuation": lambda question: bare(question).lower(),
        "with a word before": lambda question: "So, " + question[0].lower() + question[1:],
    }
    for form, change in forms.items():
        asked = [(change(question), answer) for questions, answer in read_lessons() for question in questions]
        wrong = [
            question
            for question, answer in asked
            if answer_to(question, weights, shape, tokenizer) != tokenizer.encode(answer)
        ]
        print(f"{len(asked) - len(wrong)} of {len(asked)} {form}; not: {wrong[:8]}", flush=True)


def answer_to(question, weights, shape, tokenizer, limit=96):
    ids = [BEGIN, USER, *tokenizer.encode(question), ASSISTANT]
    start = len(ids)
    while len(ids) - start < limit:
        scores, _ = forward(weights, shape, np.array([ids]))
        best = int(scores[0, -1].argmax())
        if best == END:
            break
        ids.append(best)
    return ids[start:]


def check_gradients():
    random = np.random.default_rng(SEED)
    shape = Shape(tokens=40, width=16, layers=2, heads=2, hidden=24)
    weights = {name: w.astype(np.float64) for name, w in initial_weights(shape, random).items()}
    ids, targets = random.integers(40, size=(2, 9)), random.integers(40, size=(2, 9))
    counts = random.integers(0, 2, size=(2, 9)).astype(np.float64)
    _, gradients = loss_and_gradients(weights, shape, ids, targets, counts)
    for name, weight in weights.items():
        at = tuple(int(random.integers(size)) for size in weight.shape)
        kept, step = weight[at], 1e-5
        weight[at] = kept + step
        above, _ = loss_and_gradients(weights, shape, ids, targets, counts)
        weight[at] = kept - step
        below, _ = loss_and_gradients(weights, shape, ids, targets, counts)
        weight[at] = kept
        expected, found = (above - below) / (2 * step), gradients[name][at]
        assert abs(expected - found) <= 1e-6 + 1e-4 * abs(expected), f"{name}: {found} instead of {expected}"
    print(f"the gradients of {len(weights)} tensors are right")


def write(path, weights, shape, tokenizer):
    tokens = [tokenizer.text_of(id) for id in range(tokenizer.size)]
    # 1 normal, 2 unknown, 3 control, 6 byte
    kinds = [2 if id == UNKNOWN else 3 if id < FIRST_BYTE else 6 if id < FIRST_PIECE else 1 for id in range(len(tokens))]
    scores = [float(FIRST_PIECE - id) if id >= FIRST_PIECE else 0.0 for id in range(len(tokens))]
    values = {
        "general.architecture": (gguf.STRING, "llama"),
        "general.type": (gguf.STRING, "model"),
        "general.name": (gguf.STRING, NAME),
        "general.description": (gguf.STRING, DESCRIPTION),
        "general.license": (gguf.STRING, "Apache-2.0"),
        "general.size_label": (gguf.STRING, "1M"),
        "general.file_type": (gguf.UINT32, 7),  # mostly Q8_0
        "general.quantization_version": (gguf.UINT32, 2),
        # Whoever does not say how to choose gets the most likely token: it knows nothing but these sentences.
        "general.sampling.temp": (gguf.FLOAT32, 0.0),
        "llama.context_length": (gguf.UINT32, CONTEXT),
        "llama.embedding_length": (gguf.UINT32, shape.width),
        "llama.block_count": (gguf.UINT32, shape.layers),
        "llama.feed_forward_length": (gguf.UINT32, shape.hidden),
        "llama.attention.head_count": (gguf.UINT32, shape.heads),
        "llama.attention.head_count_kv": (gguf.UINT32, shape.heads),
        "llama.attention.layer_norm_rms_epsilon": (gguf.FLOAT32, EPSILON),
        "llama.rope.dimension_count": (gguf.UINT32, shape.head),
        "llama.rope.freq_base": (gguf.FLOAT32, ROPE_BASE),
        "llama.vocab_size": (gguf.UINT32, shape.tokens),
        "tokenizer.ggml.model": (gguf.STRING, "llama"),
        "tokenizer.ggml.pre": (gguf.STRING, "default"),
        "tokenizer.ggml.tokens": ((gguf.ARRAY, gguf.STRING), tokens),
        "tokenizer.ggml.scores": ((gguf.ARRAY, gguf.FLOAT32), scores),
        "tokenizer.ggml.token_type": ((gguf.ARRAY, gguf.INT32), kinds),
        "tokenizer.ggml.unknown_token_id": (gguf.UINT32, UNKNOWN),
        "tokenizer.ggml.bos_token_id": (gguf.UINT32, BEGIN),
        "tokenizer.ggml.eos_token_id": (gguf.UINT32, END),
        "tokenizer.ggml.add_bos_token": (gguf.BOOL, True),
        "tokenizer.ggml.add_eos_token": (gguf.BOOL, False),
        "tokenizer.ggml.add_space_prefix": (gguf.BOOL, False),
        "tokenizer.chat_template": (gguf.STRING, TEMPLATE),
    }
    # A weight is stored with its outputs as rows; without an output matrix llama.cpp takes that of the tokens.
    tensors = {f"{name}.weight": w if name == "token_embd" or w.ndim == 1 else w.T for name, w in weights.items()}
    gguf.write_gguf(path, values, tensors)


if __name__ == "__main__":
    main()
