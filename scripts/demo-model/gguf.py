"""Writes a model as GGUF version 3: a header of keys and values, a table of tensors, then their bytes.
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"""

import struct

import numpy as np

ALIGNMENT = 32
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
F32, Q8_0 = 0, 8
Q8_0_BLOCK = 32


def write_gguf(path, values, tensors):
    """`values`: key to (type, value), an array as ((ARRAY, type), values). `tensors`: name to numpy array, rows of
    outputs; matrices are stored as Q8_0, vectors as F32."""
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    header += b"".join(string(key) + typed(kind, value) for key, (kind, value) in values.items())
    data, table = b"", b""
    for name, tensor in tensors.items():
        kind, stored = (Q8_0, q8_0(tensor)) if tensor.ndim == 2 else (F32, tensor.astype("<f4").tobytes())
        # Dimensions are told innermost first.
        table += string(name) + struct.pack("<I", tensor.ndim)
        table += struct.pack(f"<{tensor.ndim}Q", *reversed(tensor.shape)) + struct.pack("<IQ", kind, len(data))
        data += padded(stored)
    with open(path, "wb") as file:
        file.write(padded(header + table) + data)


def q8_0(matrix):
    """Blocks of 32 weights: a half-precision scale, then 32 signed bytes."""
    blocks = matrix.astype(np.float32).reshape(-1, Q8_0_BLOCK)
    scale = (np.abs(blocks).max(1, keepdims=True) / 127).astype("<f2")
    divisor = np.where(scale == 0, 1, scale).astype(np.float32)
    weights = np.clip(np.round(blocks / divisor), -127, 127).astype(np.int8)
    return np.concatenate([scale.view(np.uint8), weights.view(np.uint8)], axis=1).tobytes()


def string(text):
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def typed(kind, value):
    if isinstance(kind, tuple):
        _, element = kind
        return struct.pack("<IIQ", ARRAY, element, len(value)) + b"".join(bare(element, one) for one in value)
    return struct.pack("<I", kind) + bare(kind, value)


def bare(kind, value):
    if kind == STRING:
        return string(value)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}[kind], value)


def padded(data):
    return data + bytes(-len(data) % ALIGNMENT)
